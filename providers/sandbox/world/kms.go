package world

// KMS is the state of the key management service.
type KMS struct {
	// Generation of the server, "2026" or "2024"; empty means "2026".
	Generation string      `json:"generation,omitzero"`
	Identities []Identity  `json:"identities"`
	Projects   []Project   `json:"projects"`
	Switches   KMSSwitches `json:"switches,omitzero"`
}

// Generations of the KMS: which server the answers are those of.
const (
	Generation2026 = "2026"
	Generation2024 = "2024"
)

// KMSSwitches turn on what a KMS may do.
type KMSSwitches struct {
	// RateLimit is how many requests an address may make of one route within 60
	// seconds; 0: as many as it likes, and no headers that speak of it.
	RateLimit int `json:"rate_limit,omitzero"`
	// MessageObject: the "message" of errors is an object.
	MessageObject bool `json:"message_object,omitzero"`
}

// Identity is a machine identity: its universal-auth pair, optionally a
// ready-made access token, an OIDC login, and what it may read.
type Identity struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Token        string `json:"token,omitzero"`
	// OIDC is its login by tokens of an OIDC provider. Absent: not configured.
	OIDC *OIDC `json:"oidc,omitzero"`
	// TTL is how long its access tokens live, MaxTTL how long by renewal. Absent:
	// as the generation has it. "0s" is for ever in 2024, 90 days in 2026.
	TTL    *Duration `json:"ttl,omitzero"`
	MaxTTL *Duration `json:"max_ttl,omitzero"`
	// Uses is how many requests an access token may make; 0: as many as it likes.
	Uses int `json:"uses,omitzero"`
	// Revoked is "token" (its tokens are) or "secret" (its client secret is).
	Revoked string `json:"revoked,omitzero"`
	// Projects lists the slugs of the projects it is a member of. Absent: all.
	Projects []string `json:"projects,omitzero"`
	// Access lists what it may read. Absent: everything; an empty list: nothing.
	Access []Access `json:"access,omitzero"`
}

// What of an Identity may be revoked.
const (
	RevokedToken  = "token"
	RevokedSecret = "secret"
)

// OIDC says which tokens of a provider an identity may log in with. The sandbox
// is the provider itself.
type OIDC struct {
	// ID of the identity, a UUID.
	ID string `json:"id"`
	// Issuer is compared exactly.
	Issuer string `json:"issuer"`
	// Subject is a text or a glob; empty: any.
	Subject string `json:"subject,omitzero"`
	// Audiences are texts or globs, one of which must fit; absent: any.
	Audiences []string `json:"audiences,omitzero"`
	// Claims that a token must have, each with texts or globs that are separated
	// by a comma and a blank.
	Claims map[string]string `json:"claims,omitzero"`
}

// Access is one right to read, or to describe.
type Access struct {
	// Environment is a glob over environment slugs; empty means every one.
	Environment string `json:"environment,omitzero"`
	// Path is a folder, a glob over folders, or "/a/**" for a folder and all
	// below it; empty means every folder.
	Path string `json:"path,omitzero"`
	// Names narrows the right to secrets whose names match one of these globs,
	// Tags to those that have a tag which does. The service leaves out the rest
	// without a word. Servers of 2024 know neither.
	Names []string `json:"names,omitzero"`
	Tags  []string `json:"tags,omitzero"`
	// Describe: names may be seen, values may not. Servers of 2024 do not know
	// such a right: it gives nothing there.
	Describe bool `json:"describe,omitzero"`
}
