# Holm's adjustment and the luck of the best of several models. Run from the root: Rscript oracles/evaluate_multiple.R
suppressMessages({library(jsonlite); library(pROC); library(MASS)})
set.seed(81)
p <- list(c(.01, .02, .03, .04), c(.04, .001, .9, .03, .04), c(.5, NA, .01, .01), c(.2), runif(17)^2)
holm <- lapply(p, function(x) list(p = x, adjusted = p.adjust(x, "holm")))
luck <- function(n, prevalence, strength, alike, k) {
  y <- rbinom(n, 1, prevalence); shared <- rnorm(n) + strength * y
  x <- sapply(1:k, function(j) round(alike * shared + (1 - alike) * (rnorm(n) + strength * y), 4))
  rocs <- lapply(1:k, function(j) roc(y, x[, j], direction = "<", levels = 0:1, quiet = TRUE))
  auc <- sapply(rocs, function(r) as.numeric(r$auc))
  S <- sapply(1:k, function(i) sapply(1:k, function(j) if (i == j) var(rocs[[i]]) else cov(rocs[[i]], rocs[[j]])))
  e <- mvrnorm(1e6, rep(0, k), S); m <- do.call(pmax, as.data.frame(e)); lead <- m - rowMeans(e); seen <- max(auc) - mean(auc)
  C <- cov2cor(S)
  list(label = y, scores = t(x), auc = max(auc), mean = mean(auc), correlation = mean(C[upper.tri(C)]), optimism = mean(m), lead = mean(lead), p = mean(lead >= seen))
}
sets <- list(luck(239, .66, 1.1, .5, 6), luck(239, .66, 1.1, .85, 6), luck(80, .4, .6, .3, 3))
v <- function(p) as.character(packageVersion(p))
write_json(list(recipe = "oracles/evaluate_multiple.R", versions = list(R = as.character(getRversion()), pROC = v("pROC"), MASS = v("MASS")),
  tolerance = 1e-12, reason = "closed forms in float64; what is simulated: .0005 for means and .006 for the chance, three standard errors of 50,000 draws against 1,000,000",
  holm = holm, luck = sets), "evaluate/testdata/oracle/multiple.json", digits = NA, auto_unbox = TRUE, na = "null")
