package view

import (
	"fmt"
	"io"
)

// Error prints one error of a whole command for stderr: "kmsync: what went
// wrong".
func Error(w io.Writer, err error) {
	fmt.Fprintln(w, "kmsync: "+Sanitize(err.Error()))
}
