/**
 * Error numbers as Linux returns them: a function gives `0` or `-ENOMEM`.
 *
 * Kernel: include/uapi/asm-generic/errno-base.h, errno.h (v6.12).
 */
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENOSPC = 28;

/** `0`, or one of the numbers above with a minus sign. */
export type Errno = number;

const names: ReadonlyMap<number, string> = new Map([
  [EPERM, "EPERM"],
  [ENOENT, "ENOENT"],
  [EINTR, "EINTR"],
  [EIO, "EIO"],
  [EAGAIN, "EAGAIN"],
  [ENOMEM, "ENOMEM"],
  [EBUSY, "EBUSY"],
  [EEXIST, "EEXIST"],
  [ENODEV, "ENODEV"],
  [EINVAL, "EINVAL"],
  [ENOSPC, "ENOSPC"],
]);

/** `errnoName(-12)` is `"-ENOMEM"`; what is no error stays a number. */
export function errnoName(result: Errno): string {
  const name = names.get(-result);
  return name === undefined ? String(result) : `-${name}`;
}
