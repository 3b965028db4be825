# Needs Go, gcc and g++. -O3 -march=native: the embedded engine sets no vector flags itself.
# Where the processor has AMX it must be told not to: its AMX sources are not part of the Go module.
NO_AMX := $(shell echo | g++ -march=native -dM -E -x c++ - 2>/dev/null | grep -q __AMX_INT8__ && echo -mno-amx-tile -mno-amx-int8 -mno-amx-bf16)
export CGO_CFLAGS ?= -O3 -march=native $(NO_AMX)
export CGO_CXXFLAGS ?= -O3 -march=native $(NO_AMX) -Wno-stringop-overflow
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BUILD := go build -ldflags '-X main.version=$(VERSION)'

.PHONY: chaos bench-fleet bench-delivered help build demo demo-uneven test test-race test-browser bench-report echarts test-servers agree agree-text lint fmt fuzz bench generated test-arm64 static clean compilers agree-extraction golden-extraction anchors agree-optuna agree-mergekit bench-search bench-search-anchors guide docs
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

build: compilers ## bin/soup, with the embedded engine
	$(BUILD) -o bin/soup ./cmd/soup

demo: build ## search eight tiny real checkpoints, print the report; again: continue
	bin/soup run examples/garden/demo.yaml --dir build/demo
	bin/soup report build/demo

demo-uneven: build ## the same with six checkpoints where equal shares are wrong
	bin/soup run examples/garden/uneven.yaml --dir build/uneven
	bin/soup report build/uneven

test: compilers ## the fast tests
	go test ./...

# Left out: what kills processes or measures memory, and the simulations of statistics, which repeat hundreds of times what other tests do once.
test-race: compilers ## what is concurrent, under the race detector
	go test -race ./merge ./merge/method ./eval ./results -rapid.checks=10 -skip 'TestKill|IsBounded|FalseAlarms|KeepsItsError|HasPower|HoldTheTruth'
	go test -race ./merge/adapter ./internal/progress ./internal/launch ./internal/fleet ./internal/follow ./internal/web
	go test -race -run 'TestRun|Conformance/(random|greedy|coordinate)$$' ./search/...
	go test -race -run 'Cancel|Groups|OneFailure|Fleet|MayNot' ./internal/study

test-browser: ## the HTML report in a Chromium without a network (SOUP_CHROMIUM, else on PATH); screenshots in build/browser
	@set -e; mkdir -p build/browser; export SOUP_CHROMIUM SOUP_PAGES SOUP_PICTURES=$(CURDIR)/build/browser; \
	SOUP_CHROMIUM=$${SOUP_CHROMIUM:-$$(tools/browser/chromium.sh)}; \
	for d in build/demo build/uneven; do if [ -x bin/soup ] && [ -f $$d/study.db ]; then \
	"$$PWD"/bin/soup  report $$d --html build/browser/$${d#build/}.html; SOUP_PAGES="$$SOUP_PAGES:$(CURDIR)/build/browser/$${d#build/}.html"; fi; done; \
	SOUP_PAGES=$${SOUP_PAGES#:} go test -count=1 -tags browser -timeout 30m -v -run Browser ./results/page

bench-report: compilers ## a report of 1,000 trials of 2,000 items; SOUP_SCALE_TRIALS for another number
	go test -tags scale -run '^$$' -bench BenchmarkReport -benchtime 1x -timeout 60m ./internal/study

echarts: ## build the ECharts of the HTML report anew, from npm
	tools/browser/echarts.sh

test-servers: compilers ## against a real Ollama, llama-server, vLLM and transformers; builds them once, half an hour or more
	@set -e; export SOUP_OLLAMA SOUP_LLAMA_SERVER SOUP_PYTHON SOUP_VLLM SOUP_SERVER_LOGS=$(CURDIR)/build/server-logs; \
	SOUP_OLLAMA=$${SOUP_OLLAMA:-$$(tools/servers/ollama.sh)}; \
	SOUP_LLAMA_SERVER=$${SOUP_LLAMA_SERVER:-$$(tools/servers/llama-server.sh)}; \
	SOUP_PYTHON=$${SOUP_PYTHON:-$$(tools/servers/python.sh)}; \
	SOUP_VLLM=$${SOUP_VLLM:-$$(tools/servers/vllm.sh)}; \
	go test -count=1 -tags servers -timeout 60m -v ./internal/agreement ./internal/serve

anchors: compilers ## metrics, prompts and figures against the benchmarks' own programs in Python
	@set -e; export SOUP_PYTHON; SOUP_PYTHON=$${SOUP_PYTHON:-$$(tools/anchors/python.sh)}; \
	go test -count=1 -tags anchors -timeout 60m -v -run Official ./eval/... ./benchmarks/...

agree: compilers ## every checkpoint of the garden against the PyTorch reference
	go test -count=1 -run TestAgree -timeout 60m -v ./eval/server/embedded -args -all
	go test -count=1 -tags agree -run TestAgree -timeout 30m -v ./internal/study

agree-text: ## BLEU, chrF, InfiniteBench and IFEval against their official functions; SOUP_INFINITEBENCH=PATH of a checkout for the second
	@set -e; export SOUP_PYTHON; SOUP_PYTHON=$${SOUP_PYTHON:-$$(tools/text/python.sh)}; \
	go test -count=1 -tags anchors -run Agrees -timeout 30m -v ./eval
EXTRACTION = set -e; if [ -z "$$SOUP_PYTHON" ]; then set -- $$(tools/extraction.sh); export SOUP_PYTHON=$$1 SOUP_SIMPLE_EVALS=$$2; fi
agree-extraction: ## answers read and prompts built as lm-eval and simple-evals do; prepares them once
	@$(EXTRACTION); go test -count=1 -tags anchors -run 'AnswersAgree|PromptsAgree' -timeout 30m -v ./benchmarks

golden-extraction: ## write anew what the fast tests compare with
	@$(EXTRACTION); $$SOUP_PYTHON tools/extraction.py golden

agree-optuna: compilers ## exports read by optuna 5 and 4, optuna-dashboard, lm-eval and huggingface_hub
	@set -e; export SOUP_OPTUNA5 SOUP_OPTUNA4; \
	SOUP_OPTUNA5=$${SOUP_OPTUNA5:-$$(tools/export/python.sh optuna5)}; SOUP_OPTUNA4=$${SOUP_OPTUNA4:-$$(tools/export/python.sh optuna4)}; \
	go test -count=1 -tags export -run 'Optuna|Harness|CardIsRead' -timeout 30m -v ./internal/export

agree-mergekit: compilers ## exported recipes carried out by mergekit, element by element; installs 6 GB once
	@set -e; export SOUP_MERGEKIT; SOUP_MERGEKIT=$${SOUP_MERGEKIT:-$$(tools/export/python.sh mergekit)}; \
	go test -count=1 -tags export -run Mergekit -timeout 30m -v ./internal/export

chaos: compilers ## kill and cut off a study's workers at random, SOUP_CHAOS=15m; SOUP_CHAOS_NETNS=1 as root
	go test -count=1 -tags chaos -timeout 120m -v -run TestChaos ./internal/study

bench-fleet: compilers ## the queue: 1 to 8 workers, SOUP_TASKS=100000 tiny tasks, its share in SOUP_PAIRS=9 pairs
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./internal/fleet
	go test -run '^$$' -bench Queue -benchtime 1x -timeout 60m ./internal/study

bench-delivered: compilers ## studies of real checkpoints, ten seeds: what auto delivers; SOUP_STUDY, SOUP_STRATEGY, SOUP_BUDGETS, SOUP_SEEDS
	go test -count=1 -tags delivered -timeout 10h -v -run TestDelivered ./internal/study

lint: compilers ## vet, golangci-lint, gofumpt; builds the linter once, one to three minutes
	go vet -tags servers,anchors,browser,scale,export,chaos,agree,delivered ./...
	go tool -modfile=tools/go.mod golangci-lint run

fmt: ## gofumpt, in place
	go tool -modfile=tools/go.mod golangci-lint fmt

fuzz: compilers ## every fuzz target, FUZZTIME each (default 30m), one after the other
	tools/fuzz.sh

bench: compilers ## speed of the merge kernel and of the engine
	go test -run '^$$' -bench . ./merge ./eval/server/embedded

GRID ?=
bench-search: ## strategies against each other, 20 seeds, as Markdown and plots into build/search; GRID=DIR adds a recorded grid
	mkdir -p build/search
	CGO_ENABLED=0 go run ./cmd/soup bench search $(if $(GRID),--grid $(GRID)) --strategies auto,gp,itemwise,cmaes,coordinate,hillclimb,sobol,random,tpe,soce,greedy --md --svg build/search > build/search/table.md
	cat build/search/table.md

bench-search-anchors: ## Optuna and the cmaes package on one of them, PROBLEM=inside; prepares Python once
	CGO_ENABLED=0 go build -o build/search/soup ./cmd/soup
	$${SOUP_PYTHON:-$$(tools/search/python.sh)} tools/search/anchors.py --soup build/search/soup --problem $(or $(PROBLEM),inside) $(if $(GRID),--grid $(GRID))

generated: compilers ## what is committed is what its generator writes: the assembly, the schema of the study file
	go generate ./merge/internal/kernel ./internal/study
	git diff --exit-code -- merge/internal/kernel docs/study.schema.json

guide: compilers ## run the user guide's commands and write what they print into its pages; then read the difference
	go test -count=1 -run 'TestGuide$$' ./cmd/soup -args -update

docs: compilers ## manual pages, into build/man
	go test -count=1 -run 'TestManual$$' ./cmd/soup -args -man $(CURDIR)/build/man

test-arm64: ## the NEON kernel, under qemu-aarch64-static
	GOARCH=arm64 CGO_ENABLED=0 go test -exec qemu-aarch64-static ./merge/internal/kernel

static: ## bin/soup-static: no cgo, no engine, for people who run a server
	CGO_ENABLED=0 $(BUILD) -trimpath -o bin/soup-static ./cmd/soup

clean: ## remove bin and build
	rm -rf bin build

compilers:
	@for c in gcc g++; do command -v $$c >/dev/null || { echo "make: $$c not found: install gcc and g++" >&2; exit 1; }; done
