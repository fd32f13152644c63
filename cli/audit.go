package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sonotype/audit"
	"sonotype/internal/problem"
	"sonotype/report"
)

func (a *app) audit() *cobra.Command {
	var page string
	var all bool
	cmd := &cobra.Command{
		Use:   "audit PAPER.yaml",
		Short: "Check a published study's own figures",
		Long: `Check a published study's own figures, copied into a file as they are printed (docs/audit.md):
sums and percentages, p-values of baseline tables from counts and from means, the Overall column entered
as a further group, confusion matrices that fit the printed measures, intervals of AUCs against n,
accuracy against no model, the luck of the best of several models, hazard ratios against events.

Findings are results, not failures: the exit code is 0 whatever is found.
` + exitHelp,
		Example: "  sonotype audit examples/ki67-ultrasound-2025.yaml --report audit.html",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := audit.Read(args[0])
			if err != nil {
				return err
			}
			r, err := audit.Run(cmd.Context(), p)
			if err != nil {
				if e, ok := problem.As(err); ok && e.File == "" {
					e.File = args[0]
				}
				return err
			}
			if page != "" {
				if err := report.WriteAudit(page, r); err != nil {
					return err
				}
			}
			if a.json {
				return a.writeJSON(r)
			}
			a.printAudit(r, all)
			if page != "" {
				a.say("report: %s", page)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&page, "report", "", "also write an HTML report to this file")
	cmd.Flags().BoolVar(&all, "all", false, "print the checks that agree, too")
	return cmd
}

// auditWidth is the width of the text, in characters.
const auditWidth = 100

// printAudit prints the findings, the gravest first, and how many checks agree.
func (a *app) printAudit(r *audit.Report, all bool) {
	if r.Title != "" {
		fmt.Fprintln(a.out, r.Title)
	}
	if r.Reference != "" {
		fmt.Fprintln(a.out, r.Reference)
	}
	checks := r.Findings()
	if all {
		for _, v := range []audit.Verdict{audit.Agrees, audit.Untestable} {
			for _, c := range r.Checks {
				if c.Verdict == v {
					checks = append(checks, c)
				}
			}
		}
	}
	var at audit.Verdict
	for _, c := range checks {
		if c.Verdict != at {
			at = c.Verdict
			fmt.Fprintf(a.out, "\n%s (%d)\n", strings.ToUpper(string(at)), r.Counts[string(at)])
		}
		fmt.Fprintf(a.out, "  %s: %s\n%s", c.Where, c.Kind, wrapText(c.Message, "    ", auditWidth))
	}
	fmt.Fprintf(a.out, "\n%d checks: %d contradictions, %d doubts, %d notes, %d agree, %d not testable.\n", len(r.Checks),
		r.Counts[string(audit.Contradiction)], r.Counts[string(audit.Doubt)], r.Counts[string(audit.Note)], r.Counts[string(audit.Agrees)], r.Counts[string(audit.Untestable)])
}

// wrapText breaks text at spaces into indented lines.
func wrapText(s, indent string, width int) string {
	var b strings.Builder
	at := 0
	for _, word := range strings.Fields(s) {
		switch n := len([]rune(word)); {
		case at == 0:
			b.WriteString(indent + word)
			at = len(indent) + n
		case at+1+n > width:
			b.WriteString("\n" + indent + word)
			at = len(indent) + n
		default:
			b.WriteString(" " + word)
			at += 1 + n
		}
	}
	return b.String() + "\n"
}
