# Hypothesis tests and standardised differences for describe. Run from the root: Rscript oracles/describe_tests.R
suppressMessages({library(jsonlite); library(MASS)})
set.seed(20250113)
oneway <- function(g, equal) { d <- data.frame(v = unlist(g), k = factor(rep(seq_along(g), lengths(g))))
  t <- oneway.test(v ~ k, d, var.equal = equal); list(statistic = unname(t$statistic), df = unname(t$parameter[1]), df2 = unname(t$parameter[2]), p = t$p.value) }
tt <- function(x, y, equal) { t <- t.test(x, y, var.equal = equal); list(statistic = unname(t$statistic), df = unname(t$parameter), p = t$p.value) }
smd_num <- function(g) { best <- 0
  for (a in seq_along(g)) for (b in seq_along(g)) if (a < b) best <- max(best, abs(mean(g[[a]]) - mean(g[[b]])) / sqrt((var(g[[a]]) + var(g[[b]])) / 2)); best }
numeric <- function(name, g) {
  k <- kruskal.test(g)
  out <- list(name = name, groups = g, smd = smd_num(g), anova = oneway(g, TRUE), welch_anova = oneway(g, FALSE),
    kruskal = list(statistic = unname(k$statistic), df = unname(k$parameter), p = k$p.value))
  if (length(g) == 2) {
    w <- suppressWarnings(wilcox.test(g[[1]], g[[2]]))
    out$wilcoxon <- list(statistic = unname(w$statistic), p = w$p.value, exact = grepl("exact", w$method))
    out$welch <- tt(g[[1]], g[[2]], FALSE); out$pooled <- tt(g[[1]], g[[2]], TRUE)
  }
  out
}
r <- function(n, m, s, d = 4) round(rnorm(n, m, s), d)
numerics <- list(
  numeric("small, no ties", list(r(7, 0, 1), r(9, .8, 2))),
  numeric("small, ties", list(round(r(12, 3, 2)), round(r(15, 4, 2)))),
  numeric("49 against 49, no ties", list(r(49, 0, 1, 8), r(49, .3, 1, 8))),
  numeric("50 against 20, no ties", list(r(50, 0, 1, 8), r(20, .9, 3, 8))),
  numeric("2 against 2", list(c(1.5, 2.25), c(3, 7))),
  numeric("far apart", list(r(30, 0, 1), r(25, 9, 1))),
  numeric("skewed", list(round(rexp(80), 3), round(rexp(60, .7), 3))),
  numeric("age-like", list(r(90, 53, 10, 1), r(60, 52, 10, 1))),
  numeric("three", list(r(20, 53, 10, 1), r(15, 52, 9, 1), r(11, 54, 14, 1))),
  numeric("four, ties", list(round(r(9, 3, 2)), round(r(14, 4, 1)), round(r(5, 4, 2)), round(r(10, 5, 3)))),
  numeric("large offset", list(round(1e6 + r(40, 0, 1), 4), round(1e6 + r(40, .5, 1), 4))))
smd_cat <- function(m) { best <- 0; p <- sweep(m, 2, colSums(m), "/")
  for (a in seq_len(ncol(m))) for (b in seq_len(ncol(m))) if (a < b) {
    T <- p[-1, a]; C <- p[-1, b]; S <- (diag(T, length(T)) - T %o% T + diag(C, length(C)) - C %o% C) / 2
    best <- max(best, sqrt(drop(t(T - C) %*% ginv(S) %*% (T - C)))) }
  best }
categorical <- function(name, m, fisher = TRUE) {
  x <- suppressWarnings(chisq.test(m, correct = FALSE)); y <- suppressWarnings(chisq.test(m, correct = TRUE))
  out <- list(name = name, counts = m, smd = smd_cat(m), chisq = list(statistic = unname(x$statistic), df = unname(x$parameter), p = x$p.value),
    yates = list(statistic = unname(y$statistic), df = unname(y$parameter), p = y$p.value))
  if (fisher) out$fisher <- fisher.test(m, workspace = 2e8)$p.value
  out
}
M <- function(nc, ...) matrix(c(...), ncol = nc, byrow = TRUE)
categoricals <- list(
  categorical("tea", M(2, 3, 1, 1, 3)), categorical("2x2", M(2, 12, 5, 3, 22)), categorical("2x2 tiny p", M(2, 90, 5, 3, 122)),
  categorical("2x2 zero", M(2, 0, 8, 11, 30)), categorical("2x2 equal", M(2, 10, 10, 10, 10)),
  categorical("job satisfaction 4x4", M(4, 1, 2, 1, 0, 3, 3, 6, 1, 10, 10, 14, 9, 6, 7, 12, 11)),
  categorical("3x2", M(2, 5, 9, 2, 0, 7, 14)), categorical("2x5", M(5, 3, 1, 0, 4, 2, 2, 6, 5, 1, 1)),
  categorical("5x3 sparse", M(3, 2, 0, 1, 1, 1, 3, 0, 2, 1, 4, 0, 0, 1, 1, 5)),
  categorical("table 1 T", M(2, 62, 180, 155, 373, 26, 59, 24, 50), FALSE), categorical("table 1 M", M(2, 253, 618, 14, 44)),
  categorical("table 1 N", M(2, 171, 420, 59, 185, 37, 57)), categorical("table 1 EGFR", M(2, 222, 489, 44, 164, 1, 9)),
  categorical("table 1 ER", M(2, 76, 338, 191, 324)), categorical("table 1 HER2", M(2, 108, 210, 121, 248, 38, 204)),
  categorical("table 1 PR", M(2, 65, 311, 139, 261, 63, 90)),
  categorical("table 2 T", M(3, 144, 64, 34, 314, 139, 75, 55, 20, 10, 44, 16, 14), FALSE), categorical("table 2 M", M(3, 515, 228, 128, 42, 11, 5)),
  categorical("table 2 N", M(3, 369, 141, 81, 129, 82, 33, 59, 16, 19), FALSE), categorical("table 2 Ki67", M(3, 148, 81, 38, 409, 158, 95)),
  categorical("table 2 EGFR", M(3, 425, 182, 104, 126, 54, 28, 6, 3, 1)), categorical("table 2 ER", M(3, 259, 92, 63, 298, 147, 70)),
  categorical("table 2 HER2", M(3, 181, 89, 48, 224, 91, 54, 152, 59, 31), FALSE), categorical("table 2 PR", M(3, 226, 93, 57, 237, 104, 59, 94, 42, 17), FALSE))
write_json(list(recipe = "oracles/describe_tests.R", versions = list(R = as.character(getRversion()), MASS = as.character(packageVersion("MASS"))),
  tolerance = 1e-9, reason = "relative; the same closed forms, sums taken in another order; an offset of 1e6 costs six of sixteen digits; Fisher 1e-6: R's FEXACT adds in hash buckets of relative width 1e-7",
  numeric = numerics, categorical = categoricals), "describe/testdata/oracle/tests.json", digits = NA, auto_unbox = TRUE, null = "null")
