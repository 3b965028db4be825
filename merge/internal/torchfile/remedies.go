package torchfile

import "strconv"

// resave is the remedy for everything that this package does not read.
const resave = "load it with torch.load(path, weights_only=True) and save the state dict with safetensors.torch.save_file"

// again is the remedy for files that were cut or mixed up.
const again = "download or copy the file again"

// quote shows a string out of a file: on one line and not the whole of it.
func quote(s string) string {
	const most = 200
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
