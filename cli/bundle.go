package cli

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sonotype/bundle"
	"sonotype/nn"
)

func (a *app) bundle() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Sign, verify and inspect a frozen model",
		Long: `Sign, verify and inspect a frozen model: the file that stage 10 writes
(run/10-bundle/model.sono, docs/bundle.md).
` + exitHelp,
		Example: "  sonotype bundle keygen clinic\n  sonotype bundle sign run/10-bundle/model.sono --key clinic.key --out model.sono\n" +
			"  sonotype bundle verify model.sono --trust clinic.pub\n  sonotype bundle inspect model.sono",
	}
	cmd.AddCommand(a.bundleKeygen(), a.bundleSign(), a.bundleVerify(), a.bundleInspect())
	return cmd
}

func (a *app) bundleKeygen() *cobra.Command {
	return &cobra.Command{
		Use:     "keygen NAME",
		Short:   "Make a pair of keys: NAME.key, to keep secret, and NAME.pub",
		Example: "  sonotype bundle keygen clinic",
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			private, public := args[0]+".key", args[0]+".pub"
			key, err := bundle.WriteKeys(private, public)
			if err != nil {
				return err
			}
			if a.json {
				return a.writeJSON(map[string]string{"private": private, "public": public, "key_id": bundle.Fingerprint(key)})
			}
			a.say("wrote %s (keep it secret) and %s (give it to whoever is to trust your bundles)\nkey id %s", private, public, bundle.Fingerprint(key))
			return nil
		},
	}
}

func (a *app) bundleSign() *cobra.Command {
	var key, out string
	cmd := &cobra.Command{
		Use:     "sign BUNDLE --key NAME.key",
		Short:   "Sign a bundle with a private key",
		Example: "  sonotype bundle sign run/10-bundle/model.sono --key clinic.key --out model.sono",
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			private, err := bundle.ReadPrivateKey(key)
			if err != nil {
				return err
			}
			if from, err := os.Stat(args[0]); err == nil {
				if to, err := os.Stat(out); err == nil && os.SameFile(from, to) {
					return errUsage{fmt.Errorf("%s would be written over itself\n  Try: --out with another name", args[0])}
				}
			}
			s, err := bundle.Sign(out, args[0], private)
			if err != nil {
				return err
			}
			if a.json {
				return a.writeJSON(map[string]string{"file": out, "key_id": s.KeyID})
			}
			a.say("wrote %s, signed by the key %s", out, s.KeyID)
			return nil
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "private key, of `sonotype bundle keygen` or OpenSSL")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; a run's own bundle is an artefact, so write to another one")
	require(cmd, "key", "out")
	return cmd
}

// trustFlags are the flags of every command that opens a bundle.
type trustFlags struct {
	keys []string
	isa  string
	jobs int
}

func (f *trustFlags) bind(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.keys, "trust", nil, "public key that must have signed the bundle (repeatable: one of them)")
	cmd.Flags().StringVar(&f.isa, "isa", "auto", "instruction set: auto, avx512, avx2, portable")
	cmd.Flags().IntVarP(&f.jobs, "jobs", "j", 0, "worker threads; 0 = all cores; never changes a result")
}

// openBundle opens and verifies a bundle as the flags say.
func (f *trustFlags) openBundle(path string) (*bundle.Bundle, error) {
	isa, err := nn.ParseISA(f.isa)
	if err != nil {
		return nil, errUsage{err}
	}
	var keys []ed25519.PublicKey
	for _, file := range f.keys {
		k, err := bundle.ReadPublicKey(file)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return bundle.Open(path, bundle.OpenOptions{ISA: isa, Workers: f.jobs, Trust: keys})
}

func (a *app) bundleVerify() *cobra.Command {
	var f trustFlags
	cmd := &cobra.Command{
		Use:   "verify BUNDLE",
		Short: "Verify every byte of a bundle, its signature, and that it gives the scores it should",
		Long: `Verify the hash of every part of a bundle and its signature, load the model, and
compute its test vectors: at the instruction set that it was made with the scores
must be the same to the last bit, at another one nearly.
` + exitHelp,
		Example: "  sonotype bundle verify model.sono --trust clinic.pub",
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := f.openBundle(args[0])
			if err != nil {
				return err
			}
			defer b.Close()
			if a.json {
				return a.writeJSON(map[string]any{"bundle": b.Hash(), "verified": true, "signature": b.Signature()})
			}
			a.say("%s is whole and gives the scores that it should\nbundle %s\n%s", args[0], b.Hash(), signedInWords(b.Signature()))
			if s := b.Signature(); s != nil && len(f.keys) == 0 {
				a.say("note: whose key that is was not asked; give --trust NAME.pub")
			}
			return nil
		},
	}
	f.bind(cmd)
	return cmd
}

func signedInWords(s *bundle.Signature) string {
	if s == nil {
		return "not signed"
	}
	return "signed by the key " + s.KeyID
}

func (a *app) bundleInspect() *cobra.Command {
	return &cobra.Command{
		Use:     "inspect BUNDLE",
		Short:   "Show a bundle's card and its parts",
		Long:    "Show a bundle's card and its parts, with every hash verified. The model is not loaded: `verify` does that.\n" + exitHelp,
		Example: "  sonotype bundle inspect run/10-bundle/model.sono\n  sonotype bundle inspect model.sono --json",
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			i, err := bundle.Inspect(args[0])
			if err != nil {
				return err
			}
			if a.json {
				return a.writeJSON(i)
			}
			a.printCard(&i.Card)
			a.printParts(i)
			return nil
		},
	}
}

// printCard prints what people want to know of a model before they use it.
func (a *app) printCard(c *bundle.Card) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(a.out, "%-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	if c.Title != "" {
		fmt.Fprintln(a.out, c.Title)
	}
	if c.Synthetic {
		fmt.Fprintln(a.out, "FITTED ON SYNTHETIC DATA: says nothing of patients")
	}
	line("use", "%s", c.IntendedUse)
	line("licence", "%s", c.Licence)
	predicts := c.High + " against " + c.Low
	if !c.Cutoff.IsNaN() {
		predicts += fmt.Sprintf(" (above %g)", float64(c.Cutoff))
	}
	line("predicts", "%s", predicts)
	network := c.Backbone + ", trained"
	if !c.Trained {
		network = c.Backbone + ", not trained"
	}
	line("model", "%s on %s; regions %s; %s, %s", c.Model, c.Features, strings.Join(c.Regions, ", "), network, c.Precision)
	if l := c.Loss; l != nil {
		line("", "fp16 changed scores of %d units of the %s by at most %.2g (on average %.2g), and %d calls", l.Units, l.Set, float64(l.Largest), float64(l.Mean), l.Flipped)
	}
	line("threshold", "%.4g", float64(c.Threshold))
	if !c.SurvivalCut.IsNaN() {
		line("survival cut", "%.4g", float64(c.SurvivalCut))
	}
	k := &c.Contract
	line("images", "%s; sides of %d to %d px; growth %g %s", strings.Join(k.Formats, ", "), k.MinSide, k.MaxSide, k.Growth, k.Unit)
	line("devices", "%s", strings.Join(k.Devices, ", "))
	line("", "%s", k.Calipers)
	switch {
	case c.HoldsIDs:
		line("privacy", "holds reduced features of training cases WITH THEIR IDS")
	case c.HoldsRows:
		line("privacy", "holds reduced features of training cases, without their ids")
	}
	for _, s := range c.Sets {
		p := &s.Performance
		line(s.Name, "n %d (%d positive), AUC %.3f (%.3f to %.3f), sensitivity %.3f, specificity %.3f, calibration slope %.2f", p.N, p.Positive,
			float64(p.AUC), float64(p.AUCLo), float64(p.AUCHi), float64(p.Sensitivity), float64(p.Specificity), float64(s.Slope.Value))
	}
	line("made by", "sonotype %s, %s preset, data %.16s", c.Version, c.Preset, c.DataHash)
}

func (a *app) printParts(i *bundle.Inspection) {
	fmt.Fprintf(a.out, "\nbundle %s\n%s\nformat %d, %d bytes\n", i.Hash, signedInWords(i.Signature), i.Format, i.Size)
	for _, e := range i.Entries {
		fmt.Fprintf(a.out, "%12d  %.16s  %s\n", e.Size, e.SHA256, e.Name)
	}
}
