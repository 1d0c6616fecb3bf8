/** The version of this package; that of the library must be the same. */
export const VERSION = '0.1.0';
