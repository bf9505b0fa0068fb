package care

import (
	"io"

	"github.com/hanzoai/kmsync/planner/codec"
)

const formatVersion = codec.FormatVersion

type reportDocument struct {
	FormatVersion string  `json:"format_version"`
	Path          string  `json:"path"`
	Exists        bool    `json:"exists"`
	ID            string  `json:"id"` // "" where there is none
	SchemaVersion string  `json:"schema_version"`
	Serial        int64   `json:"serial"`
	Noted         int64   `json:"noted_serial"` // 0 where this machine has noted none
	KeyAt         string  `json:"root_key"`     // where it was found
	Destinations  int     `json:"destinations"`
	Keys          int     `json:"keys"`
	InDoubt       int     `json:"in_doubt"`
	Released      int     `json:"released"`
	Consents      int     `json:"consents"`
	Older         bool    `json:"older"` // than its note
	Unaccepted    bool    `json:"unaccepted"`
	Running       *string `json:"running"` // who holds the lock; null for nobody
}

type acceptedDocument struct {
	FormatVersion string `json:"format_version"`
	Exists        bool   `json:"exists"`
	Accepted      bool   `json:"accepted"`
	Older         bool   `json:"older"`     // its records count again
	SetAside      bool   `json:"set_aside"` // an earlier run had set records aside
	InDoubt       int    `json:"in_doubt"`
	Consents      int    `json:"dropped_consents"`
}

type rekeyedDocument struct {
	FormatVersion string `json:"format_version"`
	KeyAt         string `json:"root_key"` // where the new one is
	Checked       bool   `json:"checked"`  // every seal, with the key before
	Keys          int    `json:"keys"`
	Released      int    `json:"released"`
	Consents      int    `json:"dropped_consents"`
	Older         bool   `json:"older"`
}

type removedDocument struct {
	FormatVersion string              `json:"format_version"`
	Removed       []forgottenDocument `json:"removed"`
}

type forgottenDocument struct {
	ID          string   `json:"id"`
	Workspace   string   `json:"workspace"`
	Repository  string   `json:"repository"` // "" for the workspace's own variables
	Environment string   `json:"deployment_environment"`
	Whole       bool     `json:"whole"` // the destination itself is forgotten too
	Keys        []string `json:"keys"`
}

func writeJSON(w io.Writer, document any) error {
	text, err := codec.JSON(document, "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
