// Package origin reads what checkpoints' own files declare about where they come
// from: licence, base model, stage of training. It is what cards say, not what was
// measured; package merge measures.
//
// Start with Findings and LicenceOf.
package origin
