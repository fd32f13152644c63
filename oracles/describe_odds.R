# Conditional odds ratios with exact intervals, for describe. fisher.test's own roots are only good to 1.2e-4 of the ratio
# or its inverse, so its equations are solved again, to the last digits, on the log odds ratio; P is fisher.test's.
# Run from the root: Rscript oracles/describe_odds.R
suppressMessages(library(jsonlite))
one <- function(a, b, c, d) {
  f <- fisher.test(matrix(c(a, b, c, d), 2, byrow = TRUE))
  lo <- max(0, (a + c) - (c + d)); hi <- min(a + b, a + c); s <- lo:hi
  p <- function(l) { v <- dhyper(s, a + b, c + d, a + c, log = TRUE) + l * s; v <- exp(v - max(v)); v / sum(v) }
  solve <- function(g) exp(uniroot(g, c(-40, 40), tol = 1e-14, maxiter = 10000)$root)
  odds <- if (a == lo) 0 else if (a == hi) "Inf" else solve(function(l) sum(s * p(l)) - a)
  lower <- if (a == lo) 0 else solve(function(l) sum(p(l)[s >= a]) - .025)
  upper <- if (a == hi) "Inf" else solve(function(l) sum(p(l)[s <= a]) - .025)
  near <- function(x, y) x == "Inf" && y == Inf || abs(x - y) <= 2e-4 * max(1, y^2)
  stopifnot(near(odds, f$estimate), near(lower, f$conf.int[1]), near(upper, f$conf.int[2]))
  list(counts = c(a, b, c, d), odds = odds, lo = lower, hi = upper, p = f$p.value)
}
tables <- list(one(3, 1, 1, 3), one(80, 20, 70, 30), one(0, 12, 5, 9), one(7, 0, 12, 30), one(214, 450, 80, 187), one(1, 99, 9, 91),
  one(40, 2, 3, 50), one(5, 5, 5, 5), one(2, 700, 1, 900), one(0, 4, 3, 0))
write_json(list(recipe = "oracles/describe_odds.R", versions = list(R = as.character(getRversion())), tolerance = 1e-8,
  reason = "relative; the same equations solved to about 1e-13, with log factorials of other rounding; P to 1e-6, R's slack for equally likely tables",
  tables = tables), "describe/testdata/oracle/odds.json", digits = NA, auto_unbox = TRUE)
