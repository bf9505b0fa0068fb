# Everything here needs Go and make only. "make help" lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
export CGO_ENABLED ?= 0

.PHONY: help build test race e2e fuzz bench lint fmt golden cover demo check examples clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/kmsync
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/kmsync ./cmd/kmsync

test: ## run all tests
	go test ./...

race: ## run all tests with the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -short ./...

e2e: ## run the end-to-end scripts
	go test -count=1 ./cmd/kmsync

FUZZTIME ?= 10s
fuzz: ## run every fuzz target for FUZZTIME
	@for p in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done

bench: ## measure plan and apply beside a bare client, then how work grows with its size
	go test -run '^$$' -bench . -benchtime 1x -timeout 20m ./cmd/kmsync
	go test -run '^$$' -bench . $$(go list ./... | grep -v cmd/kmsync)

lint: ## check format, vet and staticcheck
	@out=$$(go tool gofumpt -l . ); if [ -n "$$out" ]; then echo "not formatted (make fmt):"; echo "$$out"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...

fmt: ## format the code
	go tool gofumpt -l -w .

golden: ## write the expected outputs of tests anew
	go test ./cmd/internal/view ./cmd/internal/view/diagram ./cmd/internal/view/phrase -update
	go test ./config ./config/format ./cmd/internal/credentials ./cmd/internal/wire -update
	go test ./cmd/kmsync -run TestScripts -update

cover: ## show the test coverage per function
	go test -coverpkg=./... -coverprofile=bin/cover.out ./...
	go tool cover -func=bin/cover.out

demo: build ## plan and apply against a sandbox in a folder of its own
	@sh examples/quickstart/demo.sh bin/kmsync

examples: ## validate, plan, apply and plan again every example
	go test -count=1 -run TestExamples ./cmd/kmsync

check: lint test race examples ## everything that must be true before a merge

clean: ## remove what was built
	rm -rf bin
