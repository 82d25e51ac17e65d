/** The Python file that opens an exported model in transformers. It stands beside the folder of this module, built or not. */
export const MODELING_FILE: URL = new URL("../assets/modeling_webmoe.py", import.meta.url);
