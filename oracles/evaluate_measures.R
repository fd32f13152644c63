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
measures <- function(p, y, t) {
  brier <- mean((p - y)^2); lp <- qlogis(p)
  s <- mean(p[y == 1] > t); f <- mean(p[y == 0] > t)
  slope <- suppressWarnings(unname(coef(glm.fit(cbind(1, lp), y, family = binomial()))[2]))
  inter <- unname(coef(glm.fit(matrix(1, length(y)), y, offset = lp, family = binomial()))[1])
  c(brier_scaled = 1 - brier / (mean(y) * (1 - mean(y))), slope = slope, intercept = inter, oe = mean(y) / mean(p), ppv = sum(p > t & y == 1) / sum(p > t), lr_positive = s / f)
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
  set.seed(6); pos <- which(y == 1); neg <- which(y == 0)
  sm <- seq(quantile(p, .1), quantile(p, .9), length.out = 9)
  draws <- lapply(seq_len(B), function(b) {
    i <- c(sample(pos, replace = TRUE), sample(neg, replace = TRUE)); pb <- p[i]; yb <- y[i]
    l <- lowess(pb, yb, iter = 0); f <- approx(l$x, l$y, pb, ties = mean)$y
    list(measures(pb, yb, t), sapply(grid, function(g) nb(pb, yb, g)), mean(abs(f - pb)), approx(l$x, l$y, sm, ties = mean)$y)
  })
  q <- function(k) { m <- do.call(rbind, lapply(draws, `[[`, k)); apply(m, 2, quantile, c(.025, .975), na.rm = TRUE) }
  m <- q(1); out$boot <- lapply(split(m, col(m)), c); names(out$boot) <- names(measures(p, y, t))
  out$nb_boot <- q(2); out$ici_boot <- c(q(3)); out$smooth_x <- unname(sm); out$smooth_boot <- q(4)
  out
}
v <- function(p) as.character(packageVersion(p))
write_json(list(recipe = "oracles/evaluate_measures.R", versions = list(R = as.character(getRversion()), pROC = v("pROC"), Hmisc = v("Hmisc")),
  tolerance = 1e-10, reason = "same closed forms in float64; the bootstrap's limits are of other draws: their Monte Carlo error, and the steps of tied scores, allow 15 % of the interval's width",
  levels = levels, grid = grid, sets = lapply(sets, one)), "evaluate/testdata/oracle/measures.json", digits = NA, auto_unbox = TRUE)
