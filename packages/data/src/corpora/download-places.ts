/** Where things that are downloaded come from and go to. */
export interface DownloadPlaces {
  /** Folder of the cache. */
  cache: string;
  /** Hugging Face's hub or another address like it. */
  hub?: string;
  /** Another address to ask instead, such as a mirror. */
  address?(url: string): string;
  /** Told the name of a file, the bytes done and, where known, the bytes in all. */
  onDownload?(name: string, done: number, total: number | undefined): void;
}

/** Hugging Face's hub; `HF_ENDPOINT` names another. */
export const HUB = process.env.HF_ENDPOINT?.replace(/\/$/, "") || "https://huggingface.co";
