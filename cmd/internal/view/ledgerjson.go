package view

import (
	"io"

	"github.com/hanzoai/kmsync/planner/codec"
	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/ledger"
)

// LedgerJSON writes what kmsync remembers as programs read it, in the order of
// [Ledger]. Fingerprints and the ids of their keys are never shown. The error is
// that of w.
func LedgerJSON(w io.Writer, s *ledger.State) error {
	document := ledgerDocument{
		FormatVersion: codec.FormatVersion, ID: s.ID, Serial: s.Serial, Rolled: s.Rolled,
		Unaccepted:   s.Unaccepted,
		Destinations: []ledgerDestination{},
	}
	if s.Running != nil {
		document.Running = &s.Running.Run
	}
	for _, d := range sorted(s) {
		document.Destinations = append(document.Destinations, destinationEntry(d))
	}
	return writeJSON(w, document)
}

type ledgerDocument struct {
	FormatVersion string              `json:"format_version"`
	ID            string              `json:"id"`
	Serial        int64               `json:"serial"`
	Rolled        bool                `json:"rolled_back"`
	Unaccepted    bool                `json:"unaccepted"` // an older copy was in use: nothing is deleted
	Running       *string             `json:"running"`    // the run at work now; null for none
	Destinations  []ledgerDestination `json:"destinations"`
}

type ledgerDestination struct {
	codec.DestinationDocument
	WorkspaceUUID   string         `json:"workspace_uuid,omitempty"` // of the workspace's own variables
	RepositoryUUID  string         `json:"repository_uuid"`          // "" for those
	EnvironmentUUID string         `json:"environment_uuid,omitempty"`
	Consent         *ledgerConsent `json:"consent"` // to deletes by overwrite-destination; null for none
	Keys            []ledgerEntry  `json:"keys"`
}

type ledgerConsent struct {
	By   string `json:"by"`
	Time string `json:"time"`
}

type ledgerEntry struct {
	Key          string        `json:"key"`
	Owner        ledgerOwner   `json:"owner"`
	VariableUUID string        `json:"variable_uuid"`
	Secured      bool          `json:"secured"`
	InDoubt      bool          `json:"in_doubt"`
	Released     bool          `json:"released"`
	Source       ledgerSource  `json:"source"`
	Writes       []ledgerWrite `json:"writes"` // the newest first
}

type ledgerOwner struct {
	Name string `json:"name"` // of the configuration; "" when it has none
	Sync string `json:"sync"`
}

type ledgerSource struct {
	KMS         string `json:"kms"`
	Environment string `json:"environment"`
	SecretPath  string `json:"secret_path"`
	SecretKey   string `json:"secret_key"`
	SecretID    string `json:"secret_id"`
	Version     int    `json:"version"`
}

type ledgerWrite struct {
	Time    string `json:"time"`
	Action  string `json:"action"`
	Reason  string `json:"reason"`
	Version int    `json:"version"`
	Run     string `json:"run"`
}

func destinationEntry(d *ledger.Destination) ledgerDestination {
	document := ledgerDestination{
		DestinationDocument: codec.Destination(graph.DestinationRef{
			Workspace: d.Workspace, Repository: d.Repository, Environment: d.Environment,
		}),
		RepositoryUUID:  d.RepositoryUUID,
		EnvironmentUUID: d.EnvironmentUUID,
		Keys:            []ledgerEntry{},
	}
	if d.Repository == "" {
		document.WorkspaceUUID = d.ID
	}
	if c := d.Consent; c != nil {
		document.Consent = &ledgerConsent{By: c.By, Time: instant(c.At)}
	}
	for _, e := range entriesOf(d) {
		document.Keys = append(document.Keys, entryOf(e))
	}
	return document
}

func entryOf(e *ledger.Entry) ledgerEntry {
	document := ledgerEntry{
		Key:          e.Key,
		Owner:        ledgerOwner{Name: e.Owner.Config, Sync: e.Owner.Sync},
		VariableUUID: e.UUID,
		Secured:      e.Secured,
		InDoubt:      e.InDoubt,
		Released:     e.Released,
		Source: ledgerSource{
			KMS: e.Source.KMS, Environment: e.Source.Environment, SecretPath: e.Source.Path,
			SecretKey: e.Source.Name, SecretID: e.Source.ID, Version: e.Source.Version,
		},
		Writes: []ledgerWrite{},
	}
	for _, w := range e.Writes {
		document.Writes = append(document.Writes, ledgerWrite{
			Time: instant(w.At), Action: w.Action, Reason: w.Reason, Version: w.Version, Run: w.Run,
		})
	}
	return document
}
