/** The pin: every engine file does what this release does, or says `Differs:`. */
export const KERNEL_VERSION = "v6.12";
