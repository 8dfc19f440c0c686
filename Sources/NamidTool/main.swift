import NamidCommands

NamidCommand.main()
