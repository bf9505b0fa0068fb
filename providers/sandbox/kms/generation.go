package kms

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hanzoai/kmsync/providers/sandbox/kms/answer"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/current"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/legacy"
	"github.com/hanzoai/kmsync/providers/sandbox/kms/token"
	"github.com/hanzoai/kmsync/providers/sandbox/world"
)

// generation is everything in which servers of two ages differ. What is not
// here, and not in packages current, legacy and resolve, they have in common.
type generation struct {
	// open are the routes that need no token, closed those that do. What is in
	// neither is not emulated, or, if it is in a family of lacks, not there.
	open   map[kind]handler
	closed map[kind]answer.Handler
	lacks  []string
	// life is how long the tokens of an identity live.
	life func(*world.Identity) token.Life
	// secretEndsTokens: a revoked client secret ends the tokens it was given for.
	secretEndsTokens bool
	// lockout: three wrong secrets lock the identity out.
	lockout bool
	// refused words a token that is not accepted, noToken its absence.
	refused      func(token.Cause) *answer.Problem
	noToken      func() *answer.Problem
	serviceToken func() *answer.Problem
	// loginRefused words wrong credentials.
	loginRefused func() *answer.Problem
	readLogin    func(*http.Request) (clientID, clientSecret string, p *answer.Problem)
	tooMany      func(seconds int) *answer.Problem
	// notValid is the status of a request that is not valid.
	notValid int
	// requestIDs: errors carry one.
	requestIDs bool
	// hashedTags: the entity tag is a hash of the body, on errors too, and its
	// weak form does not match.
	hashedTags bool
}

// handler answers a login and the like.
type handler func(*call) (any, *answer.Problem)

// generation2026 is a server of July 2026 (kms-observed-2026.md).
func generation2026() *generation {
	return &generation{
		open: map[kind]handler{login: universalLogin, oidcLogin: loginByOIDC, renew: renewToken, revoke: revokeToken},
		closed: map[kind]answer.Handler{
			listSecrets: current.List, getSecret: current.Single, listSecretsV3: current.ListV3, getSecretV3: current.SingleV3,
			listFolders: current.Folders, listFoldersV1: current.FoldersV1, listImports: current.Imports, listImportsV1: current.ImportsV1,
			getProject: current.ProjectByID, getProjectBySlug: current.ProjectBySlug, getEnvironment: current.EnvironmentBySlug,
		},
		life:             currentLife,
		secretEndsTokens: true,
		lockout:          true,
		refused:          currentToken,
		noToken:          func() *answer.Problem { return answer.Fail(401, "UnauthorizedError", "Token missing") },
		serviceToken:     func() *answer.Problem { return answer.Fail(404, "NotFound", "Service token not found") },
		loginRefused:     func() *answer.Problem { return answer.Fail(401, "UnauthorizedError", "Invalid credentials") },
		readLogin:        readLogin,
		tooMany:          currentTooMany,
		notValid:         422,
		requestIDs:       true,
	}
}

// generation2024 is a server of July 2024 (kms-observed.md): no v4, no syncs, other
// statuses and other words.
func generation2024() *generation {
	return &generation{
		open: map[kind]handler{login: universalLogin, renew: extendToken, revoke: revokeToken},
		closed: map[kind]answer.Handler{
			listSecretsV3: legacy.List, getSecretV3: legacy.Single, listFoldersV1: legacy.Folders, listImportsV1: legacy.Imports,
			getWorkspace: legacy.Workspace, getWorkspaceBySlug: legacy.WorkspaceBySlug,
		},
		lacks: []string{
			"v4/secrets", "v1/secret-syncs", "v1/app-connections", // seen: 404
			"v1/projects", "v2/folders", "v2/secret-imports", "v1/dashboard", "v1/events", // not seen, later than that
		},
		life:         legacyLife,
		refused:      legacyToken,
		noToken:      func() *answer.Problem { return answer.Fail(403, "Unauthorized access", "Token missing") },
		serviceToken: func() *answer.Problem { return legacyToken(token.Gone) },
		loginRefused: func() *answer.Problem { return answer.Fail(403, "UnauthorizedError", "Invalid credentials") },
		readLogin:    legacyReadLogin,
		tooMany: func(int) *answer.Problem {
			return answer.Fail(429, "Too Many Requests", "Rate limit exceeded, retry in 1 minute")
		},
		notValid:   403,
		hashedTags: true,
	}
}

// generationOf returns the server that the world asks for.
func generationOf(w *world.World) *generation {
	if w.KMS.Generation == world.Generation2024 {
		return generation2024()
	}
	return generation2026()
}

// Routes returns the routes that a generation serves, "GET /api/v4/secrets".
func Routes(year string) []string {
	g := generationOf(&world.World{KMS: world.KMS{Generation: year}})
	var out []string
	for _, row := range table {
		if g.open[row.kind] != nil || g.closed[row.kind] != nil {
			out = append(out, row.method+" "+row.template)
		}
	}
	return out
}

// without tells whether the generation has no route there at all.
func (g *generation) without(path string) bool {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	return len(segments) > 2 && slices.Contains(g.lacks, segments[1]+"/"+segments[2])
}

// currentToken is kms-observed-2026.md §4: 403 TokenError for a token that is
// expired or no token at all, 401 for one that was ended or has no end.
func currentToken(cause token.Cause) *answer.Problem {
	switch cause {
	case token.Accepted:
		return nil
	case token.Expired, token.TTLPassed, token.TTLPassedAgain:
		return answer.Fail(403, "TokenError", "Your token has expired. Please re-authenticate.")
	case token.Gone, token.NoExpiry:
		return answer.Fail(401, "UnauthorizedError", notAllowed)
	case token.UsedUp, token.UsedUpAgain:
		return answer.Fail(401, "UnauthorizedError", "Access token number of uses limit reached")
	}
	return answer.Fail(403, "TokenError", "The provided access token is malformed. Please use a valid token or generate a new one and try again.")
}

// legacyToken is the table of kms-observed.md §2: the words of the JWT library
// with 500.
func legacyToken(cause token.Cause) *answer.Problem {
	words := map[token.Cause]string{
		token.Empty: "jwt must be provided", token.Malformed: "jwt malformed", token.Invalid: "invalid token",
		token.BadSignature: "invalid signature", token.Expired: "jwt expired",
	}
	switch cause {
	case token.Accepted, token.NoExpiry:
		return nil
	case token.TTLPassed:
		return answer.Fail(403, "UnauthorizedError", "Failed to renew MI access token due to TTL expiration")
	case token.UsedUp:
		return answer.Fail(400, "BadRequest", "Unable to renew because access token number of uses limit reached")
	}
	if text, ok := words[cause]; ok {
		return answer.Fail(500, "Internal Server Error", text)
	}
	return answer.Fail(403, "UnauthorizedError", notAllowed)
}

// notAllowed is what both generations say where they do not tell why.
const notAllowed = "You are not allowed to access this resource"
