export { cacheFolder } from "./cache-folder";
export type { Corpus, Piece } from "./corpora/corpus";
export { type DownloadOptions, type DownloadRecord, download } from "./corpora/download";
export { CORPORA } from "./corpora/named-corpora";
export { type CorpusOptions, openCorpus, readCorpus } from "./corpora/open-corpus";
export { type ExampleColumns, readExamples } from "./examples/read-examples";
export { openShards, type ShardedTokens } from "./shards/shard-reader";
export { type TokenizeOptions, tokenizeCorpus } from "./shards/tokenize-corpus";
export { readTokenizerFile, TOKENIZERS, type TokenizerChoice, tokenizerFor } from "./tokenizer-for";
