/** A file of a server, with its bytes counted as they come. Any answer but success is an error. */
export async function download(
  address: URL,
  onProgress?: (done: number, total: number | undefined) => void,
): Promise<Blob> {
  const response = await fetch(address).catch((error: Error) => {
    throw new Error(`openModel: needs ${address}, and it could not be loaded: ${error.message}`);
  });
  if (!response.ok) throw new Error(`openModel: needs ${address}, and the server answers ${response.status}`);
  if (!onProgress || !response.body) return response.blob();
  const total = Number(response.headers.get("content-length")) || undefined;
  let done = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        done += chunk.length;
        onProgress(done, total);
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted).blob();
}
