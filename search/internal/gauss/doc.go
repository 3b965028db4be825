// Package gauss is regression with Gaussian processes whose noise is known
// (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006,
// chapters 2, 4 and 5).
//
// Start with [Fit], which chooses a [Kernel] and conditions on observations, or
// with [Condition] where the kernel is given; then look at places with [NewView] and
// ask [Process.At] and [Process.Known].
package gauss
