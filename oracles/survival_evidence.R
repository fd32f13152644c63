# Stratified tests and models, proportional-hazards tests, restricted means, Uno's C, what a score adds to clinical
# covariates, and the time-dependent AUC by its definition. Run from the root with SONOTYPE_DATA set:
#   SONOTYPE_DATA=... Rscript oracles/survival_evidence.R
# Writes survival/testdata/oracle/evidence_*.json; survival_models.R writes the table of lung.
suppressMessages({library(jsonlite); library(survival)})
data_dir <- file.path(Sys.getenv("SONOTYPE_DATA"), "tables")
control <- coxph.control(eps = 1e-11, toler.chol = 1e-13, iter.max = 50)
model <- function(d, terms, strata = NULL) {
  coxph(as.formula(paste("Surv(time, event) ~", paste(c(terms, if (!is.null(strata)) sprintf("strata(%s)", strata)), collapse = " + "))), d, ties = "efron", control = control)
}
# Patients with the same covariates have the same predictor, which rounding hides: predictors are rounded to 1e-9.
c_of <- function(d, fit, strata) {
  x <- round(predict(fit, type = "lp", reference = "zero"), 9)
  f <- if (is.null(strata)) Surv(time, event) ~ x else as.formula(sprintf("Surv(time, event) ~ x + strata(%s)", strata))
  concordance(f, cbind(d, x = x), reverse = TRUE, influence = 1)
}
cox <- function(d, vars, strata) {
  f <- model(d, vars, strata); s <- summary(f); con <- c_of(d, f, strata)
  list(vars = I(vars), strata = strata, coef = I(unname(coef(f))), se = I(sqrt(diag(as.matrix(vcov(f))))), p = I(unname(s$coefficients[, 5])),
    loglik = f$loglik, score = unname(f$score), concordance = unname(con$concordance), concordance_se = sqrt(unname(con$var)))
}
zph <- function(d, terms, strata, transform) {
  z <- cox.zph(model(d, terms, strata), transform = transform)$table
  list(terms = I(terms), strata = strata, transform = transform, chisq = unname(z[, "chisq"]), df = unname(z[, "df"]), p = unname(z[, "p"]))
}
rmst <- function(d, group, tau) { # groups in byte order
  g <- factor(d[[group]], levels = sort(unique(as.character(d[[group]])), method = "radix"))
  t <- summary(survfit(Surv(d$time, d$event) ~ g), rmean = tau)$table
  m <- unname(t[, grep("^r?\\*?rmean", colnames(t))]); se <- unname(t[, grep("se\\(", colnames(t))])
  difference <- m[2] - m[1]; s <- sqrt(sum(se[1:2]^2))
  list(group = group, tau = tau, mean = m, se = se, difference = difference, lo = difference - qnorm(.975) * s, hi = difference + qnorm(.975) * s, p = 2 * pnorm(-abs(difference / s)))
}
uno <- function(d, x, tau) {
  k <- concordance(Surv(d$time, d$event) ~ d[[x]], reverse = TRUE, timewt = "n/G2", ymax = tau)
  list(score = x, tau = tau, c = unname(k$concordance), se_fixed_weights = sqrt(unname(k$var)))
}
added <- function(d, clinical, extra, strata) {
  a <- model(d, clinical, strata); b <- model(d, c(clinical, extra), strata); t <- anova(a, b); ca <- c_of(d, a, strata); cb <- c_of(d, b, strata)
  gain <- unname(cb$concordance - ca$concordance); se <- sqrt(sum((cb$dfbeta - ca$dfbeta)^2))
  list(clinical = I(clinical), extra = I(extra), strata = strata, chisq = t$Chisq[2], df = t$Df[2], p = t[2, grep("^P", names(t))],
    c_clinical = unname(ca$concordance), c_combined = unname(cb$concordance), gain = gain, lo = gain - qnorm(.975) * se, hi = gain + qnorm(.975) * se)
}
# The definition: pairs of a case (event by t) and a control (followed beyond t), cases weighted by 1/G just before them.
weights_g <- function(time, event, mass, at) { # G just before the times; events precede censorings
  s <- sort(unique(time[event == 0]))
  out <- vapply(s, function(u) sum(mass[time == u & event == 0]), 0); left <- vapply(s, function(u) sum(mass[time > u]), 0)
  g <- c(1, cumprod(left / (left + out)))
  g[findInterval(at, s, left.open = TRUE) + 1]
}
auc_at <- function(time, event, x, t, mass = rep(1, length(time))) {
  case <- time <= t & event == 1; control <- time > t
  w <- mass[case] / weights_g(time, event, mass, time[case]); v <- mass[control]
  wins <- outer(x[case], x[control], ">") + outer(x[case], x[control], "==") / 2
  sum(w * (wins %*% v)) / (sum(w) * sum(v))
}
auc <- function(d, x, t, slope) {
  out <- list(score = x, time = t, cases = sum(d$time <= t & d$event == 1), controls = sum(d$time > t), auc = auc_at(d$time, d$event, d[[x]], t))
  if (slope) { # the infinitesimal jackknife by numeric derivatives in each patient's mass
    h <- 1e-5
    u <- sapply(seq_len(nrow(d)), function(i) { e <- replace(numeric(nrow(d)), i, h)
      (auc_at(d$time, d$event, d[[x]], t, 1 + e) - auc_at(d$time, d$event, d[[x]], t, 1 - e)) / (2 * h) })
    out$se <- sqrt(sum(u^2))
  }
  out
}
periods <- function(d, x, strata) { # the coefficient in thirds of the events
  e <- sort(d$time[d$event == 1]); cut <- e[floor(1:3 * length(e) / 3)]
  s <- survSplit(Surv(time, event) ~ ., d, cut = cut, episode = "period", start = "from")
  lapply(1:3, function(k) {
    f <- summary(coxph(as.formula(sprintf("Surv(from, time, event) ~ %s + strata(%s)", x, strata)), s[s$period == k, ], ties = "efron", control = control))
    list(from = c(0, cut)[k], to = cut[k], n = f$n, events = f$nevent, hr = f$conf.int[1], lo = f$conf.int[3], hi = f$conf.int[4], p = f$coefficients[5])
  })
}
lr <- function(d, group, strata) {
  f <- survdiff(as.formula(sprintf("Surv(time, event) ~ %s + strata(%s)", group, strata)), d)
  list(group = group, strata = strata, chisq = f$chisq, p = pchisq(f$chisq, nrow(f$obs) - 1, lower.tail = FALSE))
}
write <- function(name, o) write_json(c(list(recipe = "oracles/survival_evidence.R", versions = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival"))),
  tolerance = 1e-8, reason = "same closed forms in float64; coxph converged to 1e-11 in the likelihood; the AUC's standard error by central differences (1e-6)"), o),
  sprintf("survival/testdata/oracle/evidence_%s.json", name), digits = NA, auto_unbox = TRUE, na = "null", null = "null")
case <- function(name, d, clinical, score, group, strata, tau, times, factors = NULL, slope = FALSE) {
  write(name, list(n = nrow(d), events = sum(d$event), logrank = lr(d, group, strata), cox = cox(d, c(score, clinical), strata),
    zph = c(list(zph(d, c(clinical, score), NULL, "km"), zph(d, c(clinical, score), NULL, "identity"), zph(d, c(clinical, score), strata, "km")),
      lapply(factors, function(f) zph(d, c(score, sprintf("factor(%s)", f)), NULL, "identity"))),
    periods = periods(d, score, strata), rmst = rmst(d, group, tau), uno = list(uno(d, score, tau), uno(d, clinical[1], max(d$time))),
    added = list(added(d, clinical, score, NULL), added(d, clinical, score, strata)), auc = lapply(times, function(t) auc(d, score, t, slope))))
}
d <- read.csv("survival/testdata/lung.csv"); d <- d[complete.cases(d[, c("age", "ph.ecog", "ph.karno")]), ]
case("lung", d, c("age", "sex"), "ph.karno", "sex", "ph.ecog", 700, c(90, 180, 365, 730), factors = "ph.ecog", slope = TRUE)
g <- read.csv(file.path(data_dir, "survival/gbsg.csv")); g$time <- g$rfstime; g$event <- g$status
case("gbsg", g, c("age", "size", "pgr"), "nodes", "hormon", "grade", 1800, c(365, 730, 1825), factors = "grade")
r <- read.csv(file.path(data_dir, "survival/rotterdam.csv")); r$time <- r$rtime; r$event <- r$recur
case("rotterdam", r, c("age", "meno", "pgr"), "nodes", "chemo", "size", 3650, c(365, 1825, 3650), factors = "size")
k <- read.csv(file.path(data_dir, "ki67-rfs/Ki67_patient_level_derived.csv")); k$time <- k$RECFREESURV_MO; k$event <- k$RECURRENCE
k$high <- as.integer(k$Marker_q75 > median(k$Marker_q75))
case("ki67", k, c("AGE_AT_DX", "NodeSt"), "Marker_q75", "high", "Tstage", 120, c(36, 60, 120), factors = "RadjCHEMO")

# The worked example of docs/survival.md, under the names of `sonotype evaluate --json`.
k$high <- as.integer(k$Marker_q75 > 713.2)
hr <- summary(coxph(Surv(time, event) ~ high, k, ties = "efron", control = control))$conf.int
full <- k[!is.na(k$HistologicalGrade), ]
clinical <- c("AGE_AT_DX", "Tstage", "HistologicalGrade")
a <- added(full, clinical, "Marker_q75", "NodeSt"); m <- rmst(k, "high", 120); u <- uno(k, "Marker_q75", 120)
ph <- function(transform) { z <- zph(full, c(clinical, "Marker_q75"), "NodeSt", transform); z$p[length(z$p)] }
plain <- survdiff(Surv(time, event) ~ high, k); harrell <- concordance(Surv(time, event) ~ Marker_q75, k, reverse = TRUE)
write("ki67_example", list(figures = c(list(n = nrow(k), events = sum(k$event), n_high = sum(k$high), logrank_p = pchisq(plain$chisq, 1, lower.tail = FALSE), logrank_stratified_p = lr(k, "high", "NodeSt")$p,
  hazard_ratio = hr[1], hr_lo = hr[3], hr_hi = hr[4], c_index = unname(harrell$concordance), uno_c = u$c,
  restricted_mean_difference = m$difference, restricted_mean_difference_lo = m$lo, restricted_mean_difference_hi = m$hi, restricted_mean_difference_p = m$p,
  added_lr_p = a$p, added_c_gain = a$gain, added_c_gain_lo = a$lo, added_c_gain_hi = a$hi, proportional_hazards_p_km = ph("km"), proportional_hazards_p_identity = ph("identity")),
  setNames(lapply(c(36, 60, 120), function(t) auc(k, "Marker_q75", t, FALSE)$auc), paste0("time_auc_", c(36, 60, 120))))))
