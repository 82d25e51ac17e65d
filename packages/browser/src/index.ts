export { type GenerateTextOptions, type OpenModelOptions, openModel, type TextModel } from "./open-model";
