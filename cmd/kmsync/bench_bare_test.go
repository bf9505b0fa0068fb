//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
)

// errand is what the bare client does: the requests that kmsync needs to plan a
// world that is applied already, or to apply one that is not.
type errand struct {
	Shape shape
	Apply bool
}

// bare makes the same requests as kmsync and does nothing else: it knows what to
// ask for, decodes only what a later request needs, and decides, checks and
// remembers nothing.
type bare struct {
	errand
	http            http.Client
	kms, bitbucket  string // base URLs
	token, appToken string
	project         string // id

	mu     sync.Mutex
	values map[string][]bareSecret // by path of the folder
}

type bareSecret struct {
	Key   string `json:"secretKey"`
	Value string `json:"secretValue"`
}

// runBare is the bare client's process.
func runBare(text string) error {
	var e errand
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return err
	}
	b := &bare{
		errand: e,
		http:   http.Client{Transport: &http.Transport{MaxIdleConns: inFlight, MaxIdleConnsPerHost: inFlight}},
		kms:    os.Getenv("KMS_ADDRESS"), bitbucket: os.Getenv("BITBUCKET_ADDRESS"),
		appToken: os.Getenv("BITBUCKET_ACCESS_TOKEN"), values: map[string][]bareSecret{},
	}
	return b.run()
}

// run reads everything, then writes everything, each as wide as is allowed.
func (b *bare) run() error {
	if err := b.logIn(); err != nil {
		return err
	}
	var reads []func() error
	for _, folder := range b.Shape.folders() {
		reads = append(reads, func() error { return b.listSecrets(folder) })
	}
	for r := range b.Shape.Repositories {
		reads = append(reads, func() error { return b.listVariables(r) })
		if b.Apply {
			reads = append(reads, func() error { return b.ask("GET", b.repository(r), b.appToken, nil, &struct{ UUID string }{}) })
		}
	}
	if err := pool(reads); err != nil || !b.Apply {
		return err
	}
	// One key of each repository after the other: no more than [inFlight] of them
	// are served at once, which is below the bound per repository.
	var writes []func() error
	for k := range b.Shape.Keys {
		for r := range b.Shape.Repositories {
			writes = append(writes, func() error { return b.create(r, k) })
		}
	}
	return pool(writes)
}

// pool does the work with [inFlight] workers, to the end whatever fails.
func pool(work []func() error) error {
	queue := make(chan func() error)
	failures := make([]error, inFlight)
	var workers sync.WaitGroup
	for i := range inFlight {
		workers.Go(func() {
			for do := range queue {
				failures[i] = errors.Join(failures[i], do())
			}
		})
	}
	for _, do := range work {
		queue <- do
	}
	close(queue)
	workers.Wait()
	return errors.Join(failures...)
}

func (b *bare) logIn() error {
	var login struct {
		AccessToken string `json:"accessToken"`
	}
	err := b.ask("POST", b.kms+"/api/v1/auth/universal-auth/login", "", map[string]string{
		"clientId": os.Getenv("KMS_CLIENT_ID"), "clientSecret": os.Getenv("KMS_CLIENT_SECRET"),
	}, &login)
	if err != nil {
		return err
	}
	b.token = login.AccessToken
	var project struct {
		ID string `json:"id"`
	}
	err = b.ask("GET", b.kms+"/api/v1/projects/slug/"+benchProject, b.token, nil, &project)
	b.project = project.ID
	return err
}

func (b *bare) listSecrets(folder string) error {
	query := url.Values{
		"projectId": {b.project}, "environment": {benchEnvironment}, "secretPath": {folder},
		"includeImports": {"true"}, "include_imports": {"true"}, "expandSecretReferences": {"false"},
		"viewSecretValue": {"true"}, "recursive": {"false"}, "includePersonalOverrides": {"false"},
	}
	var list struct {
		Secrets []bareSecret `json:"secrets"`
	}
	err := b.ask("GET", b.kms+"/api/v4/secrets?"+query.Encode(), b.token, nil, &list)
	if err == nil && len(list.Secrets) != b.Shape.Keys {
		err = fmt.Errorf("%s has %d secrets", folder, len(list.Secrets))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.values[folder] = list.Secrets
	return err
}

func (b *bare) listVariables(r int) error {
	for page := 1; ; page++ {
		var list struct {
			Next   string `json:"next"`
			Values []struct {
				UUID    string `json:"uuid"`
				Key     string `json:"key"`
				Secured bool   `json:"secured"`
			} `json:"values"`
		}
		err := b.ask("GET", fmt.Sprintf("%s?page=%d&pagelen=100", b.variables(r), page), b.appToken, nil, &list)
		if err != nil || list.Next == "" {
			return err
		}
	}
}

func (b *bare) create(r, k int) error {
	secret := b.values[b.Shape.folder(r)][k]
	var made struct {
		UUID string `json:"uuid"`
	}
	return b.ask("POST", b.variables(r), b.appToken, map[string]any{
		"key": benchPrefix + secret.Key, "value": secret.Value, "secured": true,
	}, &made)
}

func (b *bare) repository(r int) string {
	return b.bitbucket + "/2.0/repositories/" + benchWorkspace + "/" + b.Shape.repository(r)
}

func (b *bare) variables(r int) string { return b.repository(r) + "/pipelines_config/variables" }

// ask sends one request and decodes the answer.
func (b *bare) ask(method, address, token string, body, into any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, address, content)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := b.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: status %d", method, request.URL.Path, answer.StatusCode)
	}
	return json.Unmarshal(text, into)
}
