// Package codec writes plans as programs read them: one versioned JSON document,
// without values and fingerprints. [Encode] is where to start.
package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/hashicorp/hcl/v2"

	"github.com/hanzoai/kmsync/planner/graph"
	"github.com/hanzoai/kmsync/planner/plan"
	"github.com/hanzoai/kmsync/planner/verdict"
)

// FormatVersion is the version of the plan document. Minor versions only add
// fields.
const FormatVersion = "1.0"

// Meta is what a plan document says about the run that made it.
type Meta struct {
	KmsyncVersion string
	CreatedAt     time.Time
}

// Encode returns the plan as programs read it: one JSON document, indented by
// two spaces, with a line end. Lists are never null; what there is none of
// (reason, blocked_by, secret_key, repository, deployment_environment, range, error,
// oldest_write) is null. A destination that is a workspace's own variables has no
// repository, and the scope "workspace". It holds no value and no fingerprint. Equal plans give
// equal bytes, but for created_at. The error is that of the JSON encoder.
func Encode(p *plan.Plan, m Meta) ([]byte, error) {
	return JSON(planDocument{
		FormatVersion: FormatVersion,
		KmsyncVersion: m.KmsyncVersion,
		CreatedAt:     m.CreatedAt.UTC().Format(time.RFC3339),
		Digest:        p.Digest,
		Complete:      p.Complete,
		Destroy:       p.Destroy,
		Summary:       encodeSummary(p.Summary()),
		Syncs:         list(p.Syncs, encodeSync),
		Findings:      list(p.Findings, encodeFinding),
		Requests:      requestsDocument{Made: p.Requests.Made, ToApply: p.Requests.ToApply},
		LeftBehind:    list(p.LeftBehind, encodeRemnant),
	}, "  ")
}

// JSON returns v as kmsync prints JSON everywhere: indented by indent, or on one
// line where that is "", and with a line end. HTML characters stay as they are.
// Control and format characters, which a name may hold and a terminal would
// obey, are escaped, so that the document says the same and shows it.
func JSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode JSON: %w", err)
	}
	return escapeControls(b.Bytes()), nil
}

// escapeControls needs no parsing: such runes can stand inside JSON strings only.
func escapeControls(document []byte) []byte {
	if !bytes.ContainsFunc(document, isUnprintable) {
		return document
	}
	var b strings.Builder
	for _, r := range string(document) {
		switch {
		case !isUnprintable(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return []byte(b.String())
}

func isUnprintable(r rune) bool {
	return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

type planDocument struct {
	FormatVersion string            `json:"format_version"`
	KmsyncVersion string            `json:"kmsync_version"`
	CreatedAt     string            `json:"created_at"`
	Digest        string            `json:"digest"`
	Complete      bool              `json:"complete"`
	Destroy       bool              `json:"destroy,omitempty"`
	Summary       summaryDocument   `json:"summary"`
	Syncs         []syncDocument    `json:"syncs"`
	Findings      []findingDocument `json:"findings"`
	Requests      requestsDocument  `json:"requests"`
	LeftBehind    []remnantDocument `json:"left_behind"`
}

type summaryDocument struct {
	Create      int     `json:"create"`
	Rename      int     `json:"rename"`
	Update      int     `json:"update"`
	Delete      int     `json:"delete"`
	Adopt       int     `json:"adopt"`
	Unchanged   int     `json:"unchanged"`
	Kept        int     `json:"kept"`
	Unmanaged   int     `json:"unmanaged"`
	LeftBehind  int     `json:"left_behind"`
	Blocked     int     `json:"blocked"`
	Forget      int     `json:"forget"`
	Release     int     `json:"release"`
	SyncErrors  int     `json:"sync_errors"`
	OldestWrite *string `json:"oldest_write"`
}

type syncDocument struct {
	Address     string              `json:"address"`
	Mode        string              `json:"mode"`
	Status      plan.Status         `json:"status"`
	Source      []sourceDocument    `json:"source"`
	Destination DestinationDocument `json:"destination"`
	Changes     []changeDocument    `json:"changes"`
	Unchanged   int                 `json:"unchanged"`
	Kept        int                 `json:"kept"`
	Unmanaged   int                 `json:"unmanaged"`
	OldestWrite *string             `json:"oldest_write"`
	Error       *failureDocument    `json:"error"`
	Range       *rangeDocument      `json:"range"`
}

type sourceDocument struct {
	KMS         string `json:"kms"`
	Environment string `json:"environment"`
	SecretPath  string `json:"secret_path"`
}

// DestinationDocument is a destination in every document.
type DestinationDocument struct {
	Type        string  `json:"type"`
	Workspace   string  `json:"workspace"`
	Repository  *string `json:"repository"`
	Environment *string `json:"deployment_environment"`
	Scope       string  `json:"scope,omitempty"`
	Connection  string  `json:"connection,omitempty"`
}

type changeDocument struct {
	Key         string          `json:"key"`
	SecretKey   *string         `json:"secret_key"`
	Action      verdict.Action  `json:"action"`
	Reason      *string         `json:"reason"`
	Secured     bool            `json:"secured"`
	Owned       bool            `json:"owned"`
	BlockedBy   *string         `json:"blocked_by"`
	Range       *rangeDocument  `json:"range"`
	Version     int             `json:"version,omitempty"`
	OldVersion  int             `json:"old_version,omitempty"`
	RenamedFrom string          `json:"renamed_from,omitempty"`
	Replaces    string          `json:"replaces,omitempty"`
	HeldBy      string          `json:"held_by,omitempty"`
	MaxDeletes  int             `json:"max_deletes,omitempty"`
	Detail      string          `json:"detail,omitempty"`
	Source      *sourceDocument `json:"source,omitempty"`
}

type failureDocument struct {
	Summary string         `json:"summary"`
	Detail  string         `json:"detail"`
	Range   *rangeDocument `json:"range"`
}

type findingDocument struct {
	Kind     verdict.FindingKind `json:"kind"`
	Severity plan.Severity       `json:"severity"`
	Address  string              `json:"address"`
	Key      string              `json:"key"`
	Detail   string              `json:"detail"`
	Range    *rangeDocument      `json:"range"`
}

type remnantDocument struct {
	Sync        string              `json:"sync"`
	Destination DestinationDocument `json:"destination"`
	Keys        int                 `json:"keys"`
}

type requestsDocument struct {
	Made    int `json:"made"`
	ToApply int `json:"to_apply"`
}

type rangeDocument struct {
	Filename string `json:"filename"`
	Line     int    `json:"line"`
}

func encodeSummary(s plan.Summary) summaryDocument {
	return summaryDocument{
		Create: s.Create, Rename: s.Rename, Update: s.Update, Delete: s.Delete,
		Adopt: s.Adopt, Forget: s.Forget, Release: s.Release,
		Unchanged: s.Unchanged, Kept: s.Kept, Unmanaged: s.Unmanaged,
		LeftBehind: s.LeftBehind, Blocked: s.Blocked, SyncErrors: s.SyncErrors,
		OldestWrite: encodeTime(s.OldestWrite),
	}
}

func encodeSync(s plan.Sync) syncDocument {
	d := syncDocument{
		Address:     s.Address,
		Mode:        "direct", // the only mode yet
		Status:      s.Status,
		Source:      list(s.Sources, encodeSource),
		Destination: Destination(s.Destination),
		Changes:     list(slices.DeleteFunc(slices.Clone(s.Changes), plan.Change.IsToldOf), encodeChange),
		Unchanged:   s.Unchanged,
		Kept:        s.Kept,
		Unmanaged:   s.Unmanaged,
		OldestWrite: encodeTime(s.OldestWrite),
		Range:       encodeRange(s.Range),
	}
	if f := s.Failure; f != nil {
		d.Error = &failureDocument{Summary: f.Summary, Detail: f.Detail, Range: encodeRange(f.Range)}
	}
	return d
}

func encodeSource(s graph.SourceRef) sourceDocument {
	return sourceDocument{KMS: s.KMS, Environment: s.Environment, SecretPath: s.Path}
}

// Destination returns a destination as documents have it. Without a repository it is a
// workspace's own variables.
func Destination(d graph.DestinationRef) DestinationDocument {
	document := DestinationDocument{
		Type: "bitbucket", Workspace: d.Workspace, Repository: orNull(d.Repository),
		Environment: orNull(d.Environment), Connection: d.Connection,
	}
	if d.OfWorkspace() {
		document.Scope = "workspace"
	}
	return document
}

func encodeChange(c plan.Change) changeDocument {
	d := changeDocument{
		Key:         c.Key,
		SecretKey:   orNull(c.SecretKey),
		Action:      c.Action,
		Reason:      orNull(string(c.Reason)),
		Secured:     c.Secured,
		Owned:       c.Owned,
		BlockedBy:   orNull(string(c.BlockedBy)),
		Range:       encodeRange(c.Range),
		Version:     c.Version,
		OldVersion:  c.OldVersion,
		RenamedFrom: c.RenamedFrom,
		Replaces:    c.Replaces,
		HeldBy:      c.HeldBy,
		MaxDeletes:  c.MaxDeletes,
		Detail:      c.Detail,
	}
	if c.Source != (graph.SourceRef{}) {
		source := encodeSource(c.Source)
		d.Source = &source
	}
	return d
}

func encodeFinding(f plan.Finding) findingDocument {
	return findingDocument{
		Kind: f.Kind, Severity: f.Severity, Address: f.Address, Key: f.Key,
		Detail: f.Detail, Range: encodeRange(f.Range),
	}
}

func encodeRemnant(r plan.Remnant) remnantDocument {
	return remnantDocument{Sync: r.Sync, Destination: Destination(r.Destination), Keys: r.Keys}
}

func encodeRange(r hcl.Range) *rangeDocument {
	if r.Filename == "" {
		return nil
	}
	return &rangeDocument{Filename: r.Filename, Line: r.Start.Line}
}

func encodeTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return orNull(t.UTC().Format(time.RFC3339))
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// list encodes each item and gives [] for none, where json would give null.
func list[T, D any](items []T, encode func(T) D) []D {
	documents := make([]D, 0, len(items))
	for _, item := range items {
		documents = append(documents, encode(item))
	}
	return documents
}
