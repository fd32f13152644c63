# Tail probabilities of the normal, chi-square, t and F distributions, down to 1e-300, for internal/stats.
# Run from the root of the repository: Rscript oracles/describe_tails.R
library(jsonlite)
rows <- list()
add <- function(dist, x, d1, d2, p) rows[[length(rows) + 1]] <<- list(dist = dist, x = x, d1 = d1, d2 = d2, p = p)
for (z in c(0, 1e-8, .1, .5, 1, 1.96, 3, 5, 8, 12, 20, 30, 37)) add("normal", z, 0, 0, 2 * pnorm(z, lower.tail = FALSE))
for (df in c(1, 2, 3, 4, 5, 6, 8, 10, 20, 50, 99, 250))
  for (x in c(1e-6, .1, .5, 1, 2, 3.84, 10, 30, 60, 100, 250, 600, 1200)) add("chisq", x, df, 0, pchisq(x, df, lower.tail = FALSE))
for (df in c(1, 1.5, 2, 3.7, 5, 10, 29.99, 87.3, 237, 557.25, 927, 5000, 1e5))
  for (t in c(1e-6, .1, .5, 1, 1.7, 2, 3, 5, 8, 12, 20, 40)) add("t", t, df, 0, 2 * pt(t, df, lower.tail = FALSE))
for (d1 in c(1, 2, 3, 5, 9, 20))
  for (d2 in c(1, 2.5, 5, 17.3, 60, 236, 926, 1e4))
    for (f in c(1e-4, .2, .9, 1, 2, 4, 10, 30, 100, 400)) add("f", f, d1, d2, pf(f, d1, d2, lower.tail = FALSE))
d <- do.call(rbind, lapply(rows, as.data.frame))
d <- d[d$p > 1e-300, ]
write_json(list(recipe = "oracles/describe_tails.R", versions = list(R = as.character(getRversion())),
  tolerance = 2e-10, reason = "relative: log-gamma terms of size up to 1e6 (df 1e5) leave ten digits in float64",
  dist = d$dist, x = d$x, d1 = d$d1, d2 = d$d2, p = d$p),
  "internal/stats/testdata/oracle/tails.json", digits = NA, auto_unbox = TRUE)
