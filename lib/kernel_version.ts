/** The pin: every engine file does what this release does, or says `Differs:`. */
export const KERNEL_VERSION = "v6.12";

/** The stable release whose source settled doubtful facts. */
export const KERNEL_SOURCE_READ = "6.12.117";
