"""Writes search/internal/gauss/testdata/sklearn.json: what scikit-learn's Gaussian
process says with fixed hyperparameters, for the tests of search/internal/gauss.

    pip install scikit-learn==1.9.1
    python tools/golden_gp.py
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern


def case(seed, n, parents, level, signal, length, mean):
    rng = np.random.default_rng(seed)
    places = rng.dirichlet(np.ones(parents), n)
    values = rng.uniform(0.2, 0.9, n)
    noise = rng.uniform(1e-4, 5e-3, n)
    queries = rng.dirichlet(np.ones(parents), 5)
    kernel = ConstantKernel(level) + ConstantKernel(signal) * Matern(length, nu=2.5)
    p = GaussianProcessRegressor(kernel, alpha=noise, optimizer=None).fit(places, values - mean)
    means, covariance = p.predict(queries, return_cov=True)
    return {
        "level": level, "signal": signal, "length": length, "mean": mean,
        "places": places.tolist(), "values": values.tolist(), "noise": noise.tolist(), "queries": queries.tolist(),
        "means": (means + mean).tolist(), "covariance": covariance.tolist(),
        "evidence": p.log_marginal_likelihood_value_,
    }


cases = [
    case(1, 1, 2, 0.25, 0.09, 1.0, 0.5),
    case(2, 8, 4, 0.25, 0.09, 1.0, 0.5),
    case(3, 30, 6, 0.1, 0.02, 0.4, 0.0),
    case(4, 60, 12, 0.25, 0.5, 2.5, 0.7),
]
out = pathlib.Path(__file__).parent.parent / "search/internal/gauss/testdata/sklearn.json"
out.parent.mkdir(exist_ok=True)
out.write_text(json.dumps({"sklearn": sklearn.__version__, "cases": cases}, indent=1) + "\n")
