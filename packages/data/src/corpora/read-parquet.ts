import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { Piece } from "./corpus";
import { textOf } from "./text-column";

/** Every row of a parquet file as a document; one group of rows at a time is in memory. */
export async function* readParquet(
  path: string,
  column: string | undefined,
  count?: (bytes: number) => void,
): AsyncGenerator<Piece> {
  const utf8 = new TextEncoder();
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch((error: Error) => {
    throw new Error(`data: needs a parquet file, and "${path}" is none: ${error.message}`);
  });
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const columns = column === undefined && hasText(group) ? ["text"] : column === undefined ? undefined : [column];
    const rows = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd, columns }).catch(
      (error: Error) => {
        throw new Error(
          `data: needs a whole parquet file, and "${path}" has broken rows from ${rowStart} on: ${error.message}`,
        );
      },
    );
    for (const [index, row] of rows.entries()) {
      const bytes = utf8.encode(textOf(row, column, `row ${rowStart + index} of ${path}`));
      if (bytes.length > 0) yield { bytes, end: true };
    }
    rowStart = rowEnd;
    count?.(file.byteLength / metadata.row_groups.length);
  }
}

function hasText(group: { columns: { meta_data?: { path_in_schema: string[] } }[] }): boolean {
  return group.columns.some((column) => column.meta_data?.path_in_schema.join(".") === "text");
}
