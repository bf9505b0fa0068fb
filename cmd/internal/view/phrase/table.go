package phrase

import "github.com/hanzoai/kmsync/planner"

// takeOverPhrase is for an update of a variable that kmsync never wrote.
func takeOverPhrase(r planner.Reason) string {
	switch r {
	case planner.NeverRecorded, planner.ValueDiffers:
		return "exists, value will be replaced"
	case planner.NotSecured:
		return "exists, value will be replaced and secured; everyone with access to the repository can read it now"
	case planner.NotReadable:
		return "exists, value will be replaced and made readable{at}"
	}
	return reasonPhrase(r)
}

// reasonPhrase is the table of reasons. In braces: {source} the folder,
// {version} and{versions} of the secret, {old} and {key} the names of the
// variable,{at} the place of the setting. An unknown reason is "".
func reasonPhrase(r planner.Reason) string {
	switch r {
	case planner.Protected:
		return "kept: protected{detail}{at}"
	case planner.Refused:
		return "refused"
	case planner.Missing:
		return "new, from {source}{version}"
	case planner.NotSecured:
		return "not secured: everyone with access to the repository can read it; will be secured"
	case planner.NotReadable:
		return "secured, and declared as unsecured{at}"
	case planner.ValueDiffers:
		return "differs from {source}{version}"
	case planner.Unconfirmed:
		return "the last write was not confirmed, so it is repeated; from {source}{version}"
	case planner.NeverRecorded:
		return "recorded with another ledger key, so it cannot be compared; from {source}{version}"
	case planner.ReplacedOutside:
		return "replaced outside kmsync"
	case planner.SourceChanged:
		return "changed in {source}{versions}"
	case planner.MaxAge:
		return "written longer ago than max_age{at}"
	case planner.Adopted:
		return "has the wanted value already; adopted{detail}"
	case planner.GoneOutside:
		return "deleted outside kmsync; its record goes"
	case planner.SyncNotRead:
		return "kept: a sync that may want it was not read"
	case planner.Released:
		return "kept: released, not kmsync's to delete"
	case planner.LeftBehind:
		return "kept: left behind by a sync that no longer writes here"
	case planner.SyncRemoved:
		return "its sync was removed{at}"
	case planner.GoneFromSource:
		return "gone from {source}"
	case planner.NotIncluded:
		return "no longer included{at}"
	case planner.SchemaChanged:
		return "key_schema gives another name now{at}"
	case planner.Renamed:
		return "renamed{at}; written first, {old} deleted last"
	case planner.DeletionDisabled:
		return "kept: not wanted, disable_secret_deletion{at}"
	case planner.OverwriteDestination:
		return "never written by kmsync; overwrite-destination{at}"
	case planner.InactiveOwner:
		return "kept: belongs to a sync that is not active"
	case planner.Foreign:
		return "kept: belongs to another configuration"
	}
	return ""
}

// blockRule is the table of rules, each completed by the detail of the change. An
// unknown rule is "".
func blockRule(b planner.Block) string {
	switch b {
	case planner.HiddenValue:
		return "the value in {source} is hidden from this identity"
	case planner.UnresolvedReference:
		return "a reference in the value in {source} leads nowhere"
	case planner.IllegalName:
		return "not a name that Bitbucket takes"
	case planner.EmptyValue:
		return "the value in {source} is empty"
	case planner.LineBreak:
		return "the value in {source} has line breaks, which Bitbucket cannot carry"
	case planner.DuplicateKey:
		return "two secrets yield this key"
	case planner.CaseClash:
		return "too close to another name"
	case planner.RequiredMissing:
		return "required, and missing in {source}"
	case planner.TooLarge:
		return "more than one build can carry"
	case planner.OwnedElsewhere:
		return "another configuration wrote this variable"
	case planner.OwnedByInactive:
		return "a sync that is not active wrote this variable"
	case planner.InDoubt:
		return "not every read of this run is proven complete"
	case planner.RefusedKey:
		return "it may be the old name of a refused key of this sync"
	case planner.MaxCount:
		return "more deletes than max_count allows in a run"
	case planner.MaxPercent:
		return "more deletes in this destination than max_percent allows"
	case planner.NoConsent:
		return "nobody has consented yet to overwrite-destination deletes here"
	case planner.Moved:
		return "it moved while kmsync was at work"
	case planner.NotSupportedYet:
		return "not supported yet"
	}
	return ""
}

// blockRemedy is the table of what would allow a blocked change. It names only
// settings and flags of the contract, and says so where there is none.
func blockRemedy(b planner.Block) string {
	switch b {
	case planner.HiddenValue:
		return "grant the identity the right to read it; no setting allows it"
	case planner.UnresolvedReference:
		return "mend it there, or set expand_references = false to send it as it stands"
	case planner.IllegalName:
		return "rename {secret} in {source} or change key_schema; no setting allows the name"
	case planner.EmptyValue:
		return "give it a value there or remove the secret; no setting allows it"
	case planner.LineBreak:
		return "store it there without them, for instance in base64; no setting of this version allows it"
	case planner.DuplicateKey:
		return "rename one of them, or set another key_schema for one; no setting allows both"
	case planner.CaseClash:
		return "rename one of them, or set another key_schema; no setting allows both"
	case planner.RequiredMissing:
		return "add it there, or take the name out of include and rename; no setting allows it"
	case planner.TooLarge:
		return "take variables away from the workspace, repository or environment; no setting allows it"
	case planner.OwnedElsewhere:
		return "take it out of one of the two; no setting allows it"
	case planner.OwnedByInactive:
		return "set enabled = true there or mend that sync, or take the key out of one; no setting allows both"
	case planner.InDoubt:
		return "settle what the warnings name; no flag allows it"
	case planner.RefusedKey:
		return "mend the refused keys of this sync first; no flag allows it"
	case planner.MaxCount, planner.MaxPercent, planner.NoConsent:
		return "allow them with --max-deletes N"
	case planner.Moved:
		return "run kmsync apply again"
	case planner.NotSupportedYet:
		return "nothing allows it in this version"
	}
	return ""
}

// Done says of an action that it is done: a line of apply.
func Done(a planner.Action) string {
	switch a {
	case planner.Create:
		return "created"
	case planner.Update:
		return "updated"
	case planner.Rename:
		return "renamed"
	case planner.Delete:
		return "deleted"
	case planner.Adopt:
		return "adopted"
	case planner.Forget:
		return "forgot"
	case planner.Release:
		return "released"
	case planner.Keep:
		return "kept"
	}
	return string(a)
}
