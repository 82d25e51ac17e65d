/** Texts to learn from, wherever they lie, read in pieces. */
export interface Corpus {
  /** What a person calls it. */
  name: string;
  /** What it was read from, with size and time, or with a checksum: another list means other tokens. */
  sources: string[];
  /** Bytes to read, for progress; what comes out may be more where files are compressed. */
  size: number;
  /** What stands after each document unless it is told otherwise: a line's end for rows, nothing for files. */
  separator: string;
  /** Documents, one after the other, each in one or more pieces. */
  read(progress?: (bytesRead: number) => void): AsyncGenerator<Piece>;
}

/** Some bytes of a document. */
export interface Piece {
  /** Some bytes of a document, in order. */
  bytes: Uint8Array;
  /** Whether the document ends with this piece. */
  end: boolean;
}
