// The numbers of exp and what is made of it, in float32. scalar/smooth-scalar.c, vector/smooth.inc.h and
// Network/Operators/SmoothFunctions.swift compute the same of them in one order of operations, each rounded by itself
// but for the fused multiply-adds; P is a chain of those from the first term.
//
//     exp        c = max(-105, min(90, x)), n = roundHalfEven(c * log2(e)), r = c - n * log(2), log(2) in two parts;
//                (1 + (r + r^2 * P(r))) * 2^h * 2^(n - h), h = roundHalfEven(n / 2)
//     sigmoid    1 / (1 + exp(0 - x))
//     tanh       beyond 0.625: 1 - 2 / (exp(2 |x|) + 1) with the sign of x; else x + (x * x^2) * P(x^2)
//     erf        beyond 1: 1 - exp(0 - P(min(4, |x|))) with the sign of x; else x * P(x^2)
//     silu       x * sigmoid(x)
//     gelu       (0.5 * x) * (1 + erf(x * sqrt(1/2)))
//     gelu_tanh  (0.5 * x) * (1 + tanh(sqrt(2/pi) * (x + ((0.044715 * x) * x) * x)))
//
// The polynomials were fitted for this project, by weighted least squares towards the least greatest error. NaN gives
// NaN. Against double precision exp is off by at most 1 unit in the last place, tanh by 1.5, erf by 2.5; sigmoid by
// 1e-7, silu and both gelus by 1.5e-7 times |x|, or 1 where that is more (Tests/KernelsTests/SmoothTests.swift).
#pragma once

static const float ck_exp_terms[] = {0.00019790309306699783f, 0.0013944660313427448f, 0.008333496749401093f,
                                     0.04166629537940025f,    0.1666666567325592f,    0.5f};
static const float ck_tanh_terms[] = {-0.005717018153518438f, 0.020650560036301613f, -0.05374348908662796f,
                                      0.13331490755081177f, -0.3333328366279602f};
static const float ck_erf_terms[] = {7.853850547689945e-05f, -0.0008010190213099122f, 0.00518832728266716f,
                                     -0.026853810995817184f, 0.1128358542919159f,     -0.3761262595653534f,
                                     1.1283791065216064f};
// Of -log(1 - erf(x)) by x.
static const float ck_erfc_terms[] = {-0.0001855769514804706f, 0.0029396354220807552f, -0.021805427968502045f,
                                      0.10303758829832077f,    0.6382254362106323f,    1.127040147781372f,
                                      0.00035368441604077816f};
enum { CK_EXP_TERMS = 6, CK_TANH_TERMS = 5, CK_ERF_TERMS = 7, CK_ERFC_TERMS = 7 };

#define CK_LOG2_E 1.44269504088896341f
#define CK_LN2_HIGH 0.693359375f
#define CK_LN2_LOW -2.12194440e-4f
#define CK_EXP_LEAST -105.0f
#define CK_EXP_MOST 90.0f
#define CK_TANH_SMALL 0.625f
#define CK_ERF_SMALL 1.0f
#define CK_ERF_MOST 4.0f
#define CK_ROOT_HALF 0.70710678118654752f
#define CK_ROOT_TWO_OVER_PI 0.79788456080286536f
#define CK_GELU_CUBE 0.044715f
