package lockfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hanzoai/kmsync/planner/ledger"
)

// TestAHolderThatIsNotKnown: anybody can write to the file that names the holder.
func TestAHolderThatIsNotKnown(t *testing.T) {
	t.Parallel()
	unknown := ledger.Holder{Run: "an unknown run"}
	path := filepath.Join(t.TempDir(), "lock.json")
	for _, content := range []string{"", "{", "[]", `{"pid":3}`, `{"run":"` + strings.Repeat("x", 2*maxHolderSize) + `"}`} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, known := readHolder(path); known || got != unknown {
			t.Errorf("%.20s: got %+v (%v)", content, got, known)
		}
	}
}
