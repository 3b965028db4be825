// Package method finds the weights of a soup without a search: from the number
// of parents, from weights that are given, or from one pass over the tensors.
//
// Start with [New] for fine-tunes and [Run] for the checkpoints of one training
// run. What comes out is a [merge.Recipe]: weights by group and parent, summed
// and rounded as package merge does it, whatever the method.
//
// # Fine-tunes
//
//	uniform          1/n each
//	linear           weights that are given, scaled to sum to 1
//	task-arithmetic  base + lambda * sum of w_k (parent_k - base)
//	slerp            two parents, along the arc between them, tensor by tensor
//	model-stock      between the base and the mean of the parents, as far as
//	                 their angles say, tensor by tensor
//
// # One run
//
//	uniform          1/n each
//	linear           weights that grow linearly
//	ema              weights that halve every so many checkpoints
//	wsm-1-sqrt, wsm-linear, wsm-cosine
//	                 weights that stand for a decay of the learning rate
//
// Methods that look at the tensors read every parent once, in tiles, and take
// inner products in float64; their results do not depend on the number of
// workers. The weights that they find may lie outside of 0 to 1.
package method
