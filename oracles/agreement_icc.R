# ICC(2,1) with McGraw and Wong's interval by psych::ICC, beside the two-way analysis of variance by R's aov, for
# agreement. Run from the root: Rscript oracles/agreement_icc.R (needs r-cran-psych)
suppressMessages({library(jsonlite); library(psych)})
set.seed(21)
dataset <- function(name, x) {
  i <- suppressWarnings(ICC(x, lmer = FALSE))$results["Single_random_raters", ]
  long <- data.frame(y = as.vector(x), case = factor(row(x)), reader = factor(col(x)))
  ms <- summary(aov(y ~ case + reader, long))[[1]][["Mean Sq"]]
  n <- nrow(x); k <- ncol(x)
  list(name = name, x = x, icc = i$ICC, lo = i[["lower bound"]], hi = i[["upper bound"]],
    aov = (ms[1] - ms[3]) / (ms[1] + (k - 1) * ms[3] + k * (ms[2] - ms[3]) / n), mean_squares = ms)
}
make <- function(n, k, between, reader, noise, digits)
  round(outer(rnorm(n, 0, between), rep(1, k)) + outer(rep(1, n), rnorm(k, 0, reader)) + matrix(rnorm(n * k, 0, noise), n), digits)
sf <- matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), 6, 4, byrow = TRUE)
sets <- list(dataset("Shrout and Fleiss 1979, table 2", sf), dataset("two readers, close", make(40, 2, 2, .1, .3, 4)),
  dataset("three readers, one apart", make(25, 3, 1, 1.5, .5, 4)), dataset("worse than chance", make(12, 2, .1, 0, 2, 3)),
  dataset("two cases", make(2, 3, 1, .2, .3, 3)), dataset("large offset", 1e6 + make(30, 4, 3, 1, 1, 2)))
write_json(list(recipe = "oracles/agreement_icc.R", versions = list(R = as.character(getRversion()), psych = as.character(packageVersion("psych"))),
  tolerance = 1e-9, reason = "the same closed forms in float64; psych sums squares about offsets, and F quantiles are inverted to about 1e-10",
  sets = sets), "agreement/testdata/oracle/icc.json", digits = NA, auto_unbox = TRUE)
