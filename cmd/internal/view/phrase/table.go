package phrase

import (
	"github.com/hanzoai/kmsync/planner/verdict"
)

// takeOverPhrase is for an update of a variable that kmsync never wrote.
func takeOverPhrase(r verdict.Reason) string {
	switch r {
	case verdict.NeverRecorded, verdict.ValueDiffers:
		return "exists, value will be replaced"
	case verdict.NotSecured:
		return "exists, value will be replaced and secured; everyone with access there can read it now"
	case verdict.NotReadable:
		return "exists, value will be replaced and made readable{at}"
	}
	return reasonPhrase(r)
}

// reasonPhrase is the table of reasons. In braces: {source} the folder,
// {version} and{versions} of the secret, {old} and {key} the names of the
// variable,{at} the place of the setting. An unknown reason is "".
func reasonPhrase(r verdict.Reason) string {
	switch r {
	case verdict.Protected:
		return "kept: protected{detail}{at}"
	case verdict.Refused:
		return "refused"
	case verdict.Missing:
		return "new, from {source}{version}"
	case verdict.NotSecured:
		return "not secured: everyone with access there can read it; will be secured"
	case verdict.NotReadable:
		return "secured, and declared as unsecured{at}; will be readable"
	case verdict.ValueDiffers:
		return "differs from {source}{version}"
	case verdict.Unconfirmed:
		return "the last write was not confirmed, so it is repeated; from {source}{version}"
	case verdict.NeverRecorded:
		return "recorded with another ledger key, so it cannot be compared; from {source}{version}"
	case verdict.ReplacedOutside:
		return "replaced outside kmsync"
	case verdict.SourceChanged:
		return "changed in {source}{versions}"
	case verdict.MaxAge:
		return "written longer ago than max_age{at}"
	case verdict.Adopted:
		return "has the wanted value already"
	case verdict.GoneOutside:
		return "deleted outside kmsync; its record goes"
	case verdict.SyncNotRead:
		return "kept: a sync that may want it was not read"
	case verdict.Released:
		return "kept: released, not kmsync's to delete"
	case verdict.LeftBehind:
		return "kept: left behind by a sync that no longer writes here"
	case verdict.SyncRemoved:
		return "its sync was removed{at}"
	case verdict.GoneFromSource:
		return "gone from {source}"
	case verdict.NotIncluded:
		return "no longer included{at}"
	case verdict.SchemaChanged:
		return "key_schema gives another name now{at}"
	case verdict.Renamed:
		return "renamed{detail}{at}; {old} stays for now" // of the old key, and in place: see reason
	case verdict.Destroyed:
		return "owned by this sync"
	case verdict.RenameWaits:
		return "kept: renamed{detail}{at}, and the new key is not written"
	case verdict.Overlap:
		return "kept: overlap{at}{detail}"
	case verdict.DeletionDisabled:
		return "kept: not wanted, disable_secret_deletion{at}"
	case verdict.OverwriteDestination:
		return "never written by kmsync; overwrite-destination{at}"
	case verdict.InactiveOwner:
		return "kept: belongs to a sync that is not active"
	case verdict.Foreign:
		return "kept: belongs to another configuration"
	}
	return ""
}

// blockRule is the table of rules, each completed by the detail of the change. An
// unknown rule is "".
func blockRule(b verdict.Block) string {
	switch b {
	case verdict.HiddenValue:
		return "the value in {source} is hidden from this identity"
	case verdict.UnresolvedReference:
		return "the value in {source} cannot be resolved"
	case verdict.IllegalName:
		return "not a name that Bitbucket takes"
	case verdict.EmptyValue:
		return "the value in {source} is empty"
	case verdict.LineBreak:
		return "Bitbucket cannot carry the value in {source} as it is"
	case verdict.DuplicateKey:
		return "two secrets yield this key"
	case verdict.CaseClash:
		return "too close to another name"
	case verdict.RequiredMissing:
		return "required, and missing in {source}"
	case verdict.TooLarge:
		return "more than one build can carry"
	case verdict.OwnedElsewhere:
		return "another configuration wrote this variable"
	case verdict.OwnedByInactive:
		return "a sync that is not active wrote this variable"
	case verdict.InDoubt:
		return "not everything of this run is certain"
	case verdict.RefusedKey:
		return "it may be the old name of {held}, which is refused"
	case verdict.MaxCount:
		return "more deletes than {held} allows"
	case verdict.MaxPercent:
		return "more of this destination than {held} allows"
	case verdict.NoConsent:
		return "overwrite-destination needs a consent here, once"
	case verdict.Moved:
		return "it moved while kmsync was at work"
	case verdict.NotSupportedYet:
		return "not supported yet"
	}
	return ""
}

// blockRemedy is the table of what would allow a blocked change. It names only
// settings and flags of the contract, and says so where there is none.
func blockRemedy(b verdict.Block) string {
	switch b {
	case verdict.HiddenValue:
		return "grant the identity the right to read it; no setting allows it"
	case verdict.UnresolvedReference:
		return "mend it in the KMS, or exclude {secret}; expand_references = false sends references as they stand"
	case verdict.IllegalName:
		return "rename {secret} in {source} or change key_schema; no setting allows the name"
	case verdict.EmptyValue:
		return "give it a value there or remove the secret; no setting allows it"
	case verdict.LineBreak:
		return "set encoding = { {key} = \"base64\" } in options, and decode it in the pipeline"
	case verdict.DuplicateKey:
		return "rename or exclude one, or set another key_schema for one sync; between sources of one sync, override = true in the later decides"
	case verdict.CaseClash:
		return "rename one of them, or set another key_schema; no setting allows both"
	case verdict.RequiredMissing:
		return "add it there, or take the name out of include and rename; no setting allows it"
	case verdict.TooLarge:
		return "take variables away from the workspace, repository or environment; no setting allows it"
	case verdict.OwnedElsewhere:
		return "take it out of one of the two; no setting allows it"
	case verdict.OwnedByInactive:
		return "set enabled = true there or mend that sync, or take the key out of one; no setting allows both"
	case verdict.InDoubt:
		return "mend what failed or is warned of, or leave that sync out with --exclude"
	case verdict.RefusedKey:
		return "mend that one, or exclude its secret in the source"
	case verdict.MaxCount, verdict.MaxPercent:
		return "--max-deletes {deletes} allows it"
	case verdict.NoConsent:
		return "--max-deletes {deletes} gives it"
	case verdict.Moved:
		return "run {command} again"
	case verdict.NotSupportedYet:
		return "nothing allows it in this version"
	}
	return ""
}

// Done says of an action that it is done: a line of apply.
func Done(a verdict.Action) string {
	switch a {
	case verdict.Create:
		return "created"
	case verdict.Update:
		return "updated"
	case verdict.Rename:
		return "renamed"
	case verdict.Delete:
		return "deleted"
	case verdict.Adopt:
		return "adopted"
	case verdict.Forget:
		return "forgot"
	case verdict.Release:
		return "released"
	case verdict.Keep:
		return "kept"
	}
	return string(a)
}
