package world

// Bitbucket is the state of Bitbucket Cloud.
type Bitbucket struct {
	Tokens     []Token     `json:"tokens"`
	Workspaces []Workspace `json:"workspaces"`
	Switches   Switches    `json:"switches,omitzero"`
}

// Token is a credential: either AccessToken (sent as Bearer) or Email with
// APIToken (sent as Basic).
type Token struct {
	AccessToken string `json:"access_token,omitzero"`
	Email       string `json:"email,omitzero"`
	APIToken    string `json:"api_token,omitzero"`
	// Scopes it was made with, classic ("pipeline:variable") or granular
	// ("admin:pipeline:bitbucket") names. Absent: every scope.
	Scopes []string `json:"scopes,omitzero"`
	// Repository is the one repository ("acme/web") that an access token of a
	// repository reaches. Absent: everything.
	Repository string `json:"repository,omitzero"`
}

// Workspace is a Bitbucket workspace with variables of its own, which every
// repository in it can read.
type Workspace struct {
	Slug         string       `json:"slug"`
	UUID         string       `json:"uuid"`
	Variables    []Variable   `json:"variables"`
	Repositories []Repository `json:"repositories"`
}

// Repository is a repository with its pipeline variables and deployment
// environments. UUIDs carry their braces, as the service shows them.
type Repository struct {
	Slug         string                  `json:"slug"`
	UUID         string                  `json:"uuid"`
	Variables    []Variable              `json:"variables"`
	Environments []DeploymentEnvironment `json:"environments"`
	// PipelinesOff: Pipelines was never switched on, so that there are no
	// variables and no environments to ask for.
	PipelinesOff bool `json:"pipelines_off,omitzero"`
}

// DeploymentEnvironment is a deployment environment with its own variables.
type DeploymentEnvironment struct {
	Name string `json:"name"`
	Slug string `json:"slug"`
	UUID string `json:"uuid"`
	// Type is "Test", "Staging" or "Production".
	Type      string     `json:"type"`
	Variables []Variable `json:"variables"`
}

// Variable is a pipeline variable. The order of the fields is part of the
// format: people change these lines with sed.
type Variable struct {
	Key     string `json:"key"`
	UUID    string `json:"uuid"`
	Value   string `json:"value"`
	Secured bool   `json:"secured"`
}

// Switches turn on what Bitbucket has been seen to do, or may do.
type Switches struct {
	// StuckNext: "next" on the lists of environments and of their variables
	// points at the present page (BCLOUD-20796).
	StuckNext bool `json:"stuck_next,omitzero"`
	// EmptyEnvironmentListing: the list of an environment's variables is empty
	// while writes and conflicts act on what is really there.
	EmptyEnvironmentListing bool `json:"empty_environment_listing,omitzero"`
	// DelayReads hides a new variable from that many listings of its scope.
	DelayReads int `json:"delay_reads,omitzero"`
	// Burst429 refuses every n-th write as too fast, without effect.
	Burst429 *Burst `json:"burst_429,omitzero"`
	// HourLimit is how many requests a credential may make in any hour; 0: as many
	// as it likes.
	HourLimit int `json:"hour_limit,omitzero"`
	// LeanErrors: errors without "type", "detail" as text, "data" at the top.
	LeanErrors bool `json:"lean_errors,omitzero"`
	// NoType: variables without "type".
	NoType bool `json:"no_type,omitzero"`
	// ExactCase: keys that differ only by case are two variables. Off, the
	// service refuses the second as a duplicate.
	ExactCase bool `json:"exact_case,omitzero"`
	// StaysSecured: a variable that was secured stays so, whatever a PUT says.
	StaysSecured bool `json:"stays_secured,omitzero"`
	// LineBreaks in a value are refused ("refuse" or empty), kept ("keep") or
	// cut out ("strip").
	LineBreaks string `json:"line_breaks,omitzero"`
}

// Burst says how writes that come too fast are refused.
type Burst struct {
	// Every n-th write is refused.
	Every int `json:"every"`
	// Form of the answer: "retry_after" (429 with Retry-After: 1), "bare" (429
	// in JSON), "plain" (429 as text), "403" (status 403 with the same text).
	Form string `json:"form"`
}

// Forms of a Burst.
const (
	BurstRetryAfter = "retry_after"
	BurstBare       = "bare"
	BurstPlain      = "plain"
	Burst403        = "403"
)

// What happens to line breaks in a value.
const (
	LineBreaksRefuse = "refuse"
	LineBreaksKeep   = "keep"
	LineBreaksStrip  = "strip"
)
