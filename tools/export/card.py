"""Reads a model card with huggingface_hub and prints its header, as JSON: card.py README.md"""

import json
import sys

from huggingface_hub import ModelCard

card = ModelCard.load(sys.argv[1], ignore_metadata_errors=False)
json.dump(
    {
        "license": card.data.license,
        "library": card.data.library_name,
        "base_model": card.data.base_model,
        "tags": card.data.tags,
        "name": card.data.model_name,
        "results": {r.dataset_name: r.metric_value for r in card.data.eval_results},
    },
    sys.stdout,
)
