// Package openai scores models through any server that has OpenAI's HTTP
// interface: /chat/completions, /completions or both.
//
// Start with New. There is no common way to exchange a model's weights, so
// Options.Swap does it: a command of the user's, mostly. Without one the server
// is good for one model, the one that it has.
//
// # What is sent
//
// Conversations go to /chat/completions, which renders them with a template of
// the server's; raw prompts go to /completions. Requests ask for temperature 0,
// top_p 1 and seed 1. Everything else is the server's: what it adds by default,
// such as a repetition penalty or top_k, must be switched off with
// Options.Request.
//
// # Which weights answer
//
// After a swap a fixed prompt is asked for with log-probabilities, at whichever
// of the two paths shows them. Where neither does, the greedy answers to eight
// fixed prompts take their place. That is weaker: two soups that lie near each
// other may say the same, and look like stale weights. Evidence says which.
//
// # Caveats
//
// The interface does not tell how a text is divided into tokens. A label's first
// token is taken to be the longest of those shown that the label begins with. A
// label that is not among them (20 at most) gets the next number below the last
// of them, which is too high but in the right order; Floored counts these. Where
// no label is shown, the item has failed. Where no log-probabilities are shown,
// ScoreLabels is eval.ErrNoScores and the letter is generated.
package openai
