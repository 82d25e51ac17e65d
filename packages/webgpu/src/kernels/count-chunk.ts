/** Assignments that are counted together when they are sorted by expert. */
export const COUNT_CHUNK = 64;
