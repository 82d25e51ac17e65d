import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where downloads and tokens are kept: `WEBMOE_CACHE`, else the user's cache folder (`XDG_CACHE_HOME` or ~/.cache,
 * ~/Library/Caches on macOS, %LOCALAPPDATA% on Windows).
 */
export function cacheFolder(
  environment: Record<string, string | undefined> = process.env,
  platform: string = process.platform,
): string {
  if (environment.WEBMOE_CACHE) return environment.WEBMOE_CACHE;
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "webmoe");
  if (platform === "win32")
    return join(environment.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"), "webmoe", "Cache");
  return join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "webmoe");
}
