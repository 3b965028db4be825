// Package bfcl judges answers of the Berkeley Function Calling Leaderboard's
// single-turn categories as its own Python programs do: the decoder, the AST
// checker and the checks of relevance and irrelevance.
//
// It follows https://github.com/ShishirPatil/gorilla at commit 6ea57973
// (package bfcl-eval 2026.3.23, Apache-2.0): bfcl_eval/model_handler/utils.py
// (default_decode_ast_prompting, ast_parse), model_handler/parser,
// eval_checker/ast_eval and eval_checker/eval_runner.py. Nothing of it is copied;
// tools/bfcl.py compares verdicts.
//
// # Caveats
//
// Where the benchmark's program stops with an exception, the answer is wrong
// here. What it evaluates as Python code inside of arithmetic, this package does
// not: an argument such as len(x)*2 makes the answer no call. Java and
// JavaScript are read by parsers of their own, where the benchmark uses
// tree-sitter: statements other than expressions, declarations, return and
// blocks are refused.
package bfcl
