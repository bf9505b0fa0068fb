package world

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// environmentTypes are the types of a deployment environment, by rank.
func environmentTypes() []string { return []string{"Test", "Staging", "Production"} }

// Check names everything in the world that the emulator could not serve, one
// error joined of all. Each says where it stands and what is allowed.
func (w *World) Check() error {
	var c checker
	c.kms("kms", w.KMS)
	for i, id := range w.KMS.Identities {
		c.identity(fmt.Sprintf("kms.identities[%d]", i), id)
	}
	for i, p := range w.KMS.Projects {
		c.project(fmt.Sprintf("kms.projects[%d]", i), p)
	}
	for i, t := range w.Bitbucket.Tokens {
		basic := t.Email != "" && t.APIToken != ""
		here := fmt.Sprintf("bitbucket.tokens[%d]", i)
		if basic == (t.AccessToken != "") {
			c.add(here, "needs either access_token, or email and api_token")
		}
		if t.Repository != "" && (t.AccessToken == "" || strings.Count(t.Repository, "/") != 1) {
			c.add(here, "repository is for an access_token, and has the form \"acme/web\"")
		}
	}
	for i, ws := range w.Bitbucket.Workspaces {
		c.workspace(fmt.Sprintf("bitbucket.workspaces[%d]", i), ws)
	}
	c.switches("bitbucket.switches", w.Bitbucket.Switches)
	for i, f := range w.Faults {
		if err := f.Check(); err != nil {
			c.add(fmt.Sprintf("faults[%d]", i), err.Error())
		}
	}
	return errors.Join(c.errs...)
}

// Check says what is wrong with a fault, or returns nil.
func (f Fault) Check() error {
	kinds := []string{FaultStatus, FaultDropBefore, FaultDropAfter, FaultTruncate, FaultSlow, FaultHTML, FaultRedirect}
	if !slices.Contains(kinds, f.Kind) {
		return fmt.Errorf("kind %q is not one of %s", f.Kind, strings.Join(kinds, ", "))
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("status %d is not between 200 and 599", f.Status)
	}
	if f.Times < 0 || f.Skip < 0 {
		return errors.New("times and skip must not be negative")
	}
	for _, segment := range split(f.Path) {
		if _, err := path.Match(segment, ""); err != nil {
			return fmt.Errorf("path segment %q is not a glob", segment)
		}
	}
	return nil
}

type checker struct{ errs []error }

func (c *checker) add(where, what string) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", where, what))
}

func (c *checker) project(where string, p Project) {
	if p.Slug == "" && p.Name == "" {
		c.add(where, "needs a slug")
	}
	for i, e := range p.Environments {
		here := fmt.Sprintf("%s.environments[%d]", where, i)
		if e.Slug == "" && e.Name == "" {
			c.add(here, "needs a slug")
		}
		for j, f := range e.Folders {
			c.folder(fmt.Sprintf("%s.folders[%d]", here, j), f)
		}
	}
}

func (c *checker) folder(where string, f Folder) {
	if !strings.HasPrefix(f.Path, "/") || path.Clean(f.Path) != f.Path {
		c.add(where, fmt.Sprintf("path %q must be absolute and without a slash at its end, like \"/web\"", f.Path))
	}
	for i, s := range f.Secrets {
		here := fmt.Sprintf("%s.secrets[%d]", where, i)
		if s.Key == "" || strings.ContainsAny(s.Key, ":/") {
			c.add(here, "key must not be empty and must not hold \":\" or \"/\"")
		}
		if s.Type != "" && s.Type != TypeShared && s.Type != TypePersonal {
			c.add(here, fmt.Sprintf("type %q is neither \"shared\" nor \"personal\"", s.Type))
		}
		for _, tag := range s.Tags {
			if tag == "" || strings.ContainsAny(tag, ", ") {
				c.add(here, fmt.Sprintf("tag %q must be a slug, like \"db\"", tag))
			}
		}
	}
}

func (c *checker) workspace(where string, ws Workspace) {
	if ws.Slug == "" {
		c.add(where, "needs a slug")
	}
	for i, r := range ws.Repositories {
		here := fmt.Sprintf("%s.repositories[%d]", where, i)
		if r.Slug == "" {
			c.add(here, "needs a slug")
		}
		for j, e := range r.Environments {
			at := fmt.Sprintf("%s.environments[%d]", here, j)
			if e.Name == "" {
				c.add(at, "needs a name")
			}
			if e.Type != "" && !slices.Contains(environmentTypes(), e.Type) {
				c.add(at, fmt.Sprintf("type %q is not one of %s", e.Type, strings.Join(environmentTypes(), ", ")))
			}
		}
	}
}

func (c *checker) switches(where string, s Switches) {
	breaks := []string{"", LineBreaksRefuse, LineBreaksKeep, LineBreaksStrip}
	if !slices.Contains(breaks, s.LineBreaks) {
		c.add(where, fmt.Sprintf("line_breaks %q is not one of %s", s.LineBreaks, strings.Join(breaks[1:], ", ")))
	}
	if s.DelayReads < 0 {
		c.add(where, "delay_reads must not be negative")
	}
	if s.HourLimit < 0 {
		c.add(where, "hour_limit must not be negative")
	}
	forms := []string{BurstRetryAfter, BurstBare, BurstPlain, Burst403}
	if b := s.Burst429; b != nil && (b.Every < 1 || !slices.Contains(forms, b.Form)) {
		c.add(where, "burst_429 needs every of at least 1 and a form of "+strings.Join(forms, ", "))
	}
}
