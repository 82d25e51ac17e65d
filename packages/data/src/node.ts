export { CORPORA, readCorpus } from "./text-files";
