import Namid
import NamidCommands

// The whole command line, with parts of one's own in every verb, list, recipe, card and report.
NamidCommand.main(
  catalog: .standard.adding(
    attacks: [.randomPoints], defenses: [.mixed], architectures: [.tinyBN],
    datasets: [Stripes()]))
