# Fixed rates, bootstrap intervals, bands, Hosmer-Lemeshow, IDI and NRI for evaluate, on the scores of evaluate_scores.R.
# Run from the root: Rscript oracles/evaluate_measures.R
suppressMessages({library(jsonlite); library(pROC); library(Hmisc)})
sets <- fromJSON("evaluate/testdata/oracle/scores.json", simplifyDataFrame = FALSE)$sets
levels <- c(.8, .9, .95); grid <- c(.05, .2, .35, .5, .65, .8); B <- 2000
hoslem <- function(p, y, g) {
  k <- cut(p, unique(quantile(p, seq(0, 1, 1 / g))), include.lowest = TRUE)
  n <- tapply(y, k, length); o <- tapply(y, k, sum); e <- tapply(p, k, sum)
  chi <- sum((o - e)^2 / (e * (1 - e / n)))
  c(chi, length(n), pchisq(chi, length(n), lower.tail = FALSE))
}
nb <- function(p, y, pt) mean(p > pt & y == 1) - mean(p > pt & y == 0) * pt / (1 - pt)
conditional <- function(p, y, t) {
  s <- mean(p[y == 1] > t); f <- mean(p[y == 0] > t)
  slope <- suppressWarnings(unname(coef(glm.fit(cbind(1, qlogis(p)), y, family = binomial()))[2]))
  c(slope = slope, sensitivity = s, specificity = 1 - f, lr_positive = s / f)
}
dependent <- function(p, y, t) {
  brier <- mean((p - y)^2); positive <- sum(p > t); hit <- sum(p > t & y == 1)
  inter <- unname(coef(glm.fit(matrix(1, length(y)), y, offset = qlogis(p), family = binomial()))[1])
  c(brier = brier, brier_scaled = 1 - brier / (mean(y) * (1 - mean(y))), intercept = inter, oe = mean(y) / mean(p), accuracy = mean((p > t) == y),
    ppv = hit / positive, npv = sum(p <= t & y == 0) / sum(p <= t), f1 = 2 * hit / (positive + sum(y)))
}
one <- function(s) {
  y <- s$label; p <- s$p; r <- roc(y, p, direction = "<", levels = 0:1, quiet = TRUE)
  at <- function(x, input, ret) sapply(x, function(v) coords(r, v, input = input, ret = ret, transpose = TRUE)[[1]])
  imp <- improveProb(p, s$q, y)
  out <- list(name = s$name, sens_at = at(levels, "specificity", "sensitivity"), spec_at = at(levels, "sensitivity", "specificity"),
    idi = c(imp$idi, imp$se.idi), nri = c(imp$nri, imp$se.nri), nri_ev = imp$nri.ev, nri_ne = imp$nri.ne)
  # Bins of the categorical NRI: moving by whole steps across a threshold is improveProb of the classes.
  t <- s$threshold; cat <- improveProb(as.numeric(p > t), as.numeric(s$q > t), y)
  out$nri_cat <- c(cat$nri, cat$se.nri)
  if (min(p) <= 0 || max(p) >= 1 || length(y) < 60) return(out)
  out$hoslem <- hoslem(p, y, 10)
  set.seed(5); ci <- ci.se(r, specificities = levels, boot.n = B, progress = "none", stratified = TRUE)
  out$sens_boot <- rbind(unclass(ci)[, 1], unclass(ci)[, 3])
  # Within each class for what is conditional on it, of all patients together for what depends on the prevalence.
  set.seed(6); pos <- which(y == 1); neg <- which(y == 0)
  within <- lapply(seq_len(B), function(b) { i <- c(sample(pos, replace = TRUE), sample(neg, replace = TRUE)); list(conditional(p[i], y[i], t)) })
  sm <- seq(quantile(p, .1), quantile(p, .9), length.out = 9)
  whole <- lapply(seq_len(B), function(b) {
    i <- sample(length(y), replace = TRUE); pb <- p[i]; yb <- y[i]
    l <- lowess(pb, yb, iter = 0); f <- approx(l$x, l$y, pb, ties = mean)$y
    net <- sapply(grid, function(g) nb(pb, yb, g))
    list(dependent(pb, yb, t), net, mean(abs(f - pb)), approx(l$x, l$y, sm, ties = mean)$y, net / mean(yb), net - sapply(grid, function(g) nb(yb + 1, yb, g)))
  })
  q <- function(draws, k) { m <- do.call(rbind, lapply(draws, `[[`, k)); apply(m, 2, quantile, c(.025, .975), na.rm = TRUE) }
  named <- function(draws) { m <- q(draws, 1); b <- lapply(split(m, col(m)), c); names(b) <- names(draws[[1]][[1]]); b }
  out$boot <- c(named(within), named(whole))
  out$nb_boot <- q(whole, 2); out$ici_boot <- c(q(whole, 3)); out$smooth_x <- unname(sm); out$smooth_boot <- q(whole, 4)
  out$standardised_boot <- q(whole, 5); out$gain_boot <- q(whole, 6)
  out
}
v <- function(p) as.character(packageVersion(p))
write_json(list(recipe = "oracles/evaluate_measures.R", versions = list(R = as.character(getRversion()), pROC = v("pROC"), Hmisc = v("Hmisc")),
  tolerance = 1e-10, reason = "same closed forms in float64; the bootstrap's limits are of other draws: their Monte Carlo error, and the steps of tied scores, allow 15 % of the interval's width",
  levels = levels, grid = grid, sets = lapply(sets, one)), "evaluate/testdata/oracle/measures.json", digits = NA, auto_unbox = TRUE)
