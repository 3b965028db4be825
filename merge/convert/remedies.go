package convert

// elsewhere is the remedy for models that GGUF, or the programs that read it,
// cannot express.
const elsewhere = "serve the safetensors directory with a server that reads it, such as vLLM or SGLang"
