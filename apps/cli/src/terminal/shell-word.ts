/** A path as a command line takes it: in quotes where a shell would split or change it. */
export function shellWord(path: string, platform = process.platform): string {
  if (/^[\p{L}\p{N}_%+=:,./@-]+$/u.test(path)) return path;
  if (platform === "win32") return /^[\p{L}\p{N}_%+=:,./@\\-]+$/u.test(path) ? path : `"${path}"`;
  return `'${path.replaceAll("'", "'\\''")}'`;
}
