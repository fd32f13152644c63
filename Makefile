# Short names for what CONTRIBUTING.md explains.
.PHONY: test check oracle generate bench

test: ## what a user runs
	go test ./...

check: ## what must pass before a change lands
	.ci/run

generate: ## assembly kernels
	go generate ./nn/kernel ./internal/dots

oracle: ## recompute the golden values; needs Python and R (oracles/README.md)
	oracles/run.sh

bench: ## ours and the peers in turns; needs bench/setup.sh once
	bench/run.sh
