# `sam build` calls build-<logical id> here once for each function. What it wants is made once for each kind and
# architecture (infra/deploy/artifacts.py) and linked, so that all functions cost three builds. Needs `sam build --build-in-source`.
ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
PYTHON ?= $(ROOT)/.venv/bin/python
GREENROOM_ARCHITECTURE ?= arm64
GREENROOM_PYTHON ?= 3.13

build-%:
	@cd "$(ROOT)" && "$(PYTHON)" -m infra.deploy.artifacts $(KIND) --architecture $(GREENROOM_ARCHITECTURE) \
		--python $(GREENROOM_PYTHON) --into "$(ARTIFACTS_DIR)"
