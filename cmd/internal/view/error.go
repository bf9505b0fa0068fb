package view

import (
	"fmt"
	"io"

	"github.com/hanzoai/kmsync/cmd/internal/view/sanitize"
)

// Error prints one error of a whole command for stderr: "kmsync: what went
// wrong".
func Error(w io.Writer, err error) {
	fmt.Fprintln(w, "kmsync: "+sanitize.Text(err.Error()))
}
