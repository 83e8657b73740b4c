-- A microcontroller with an Arm Cortex-M4: STM32F446RE, as on the board NUCLEO-F446RE. Limits are the chip's; the program
-- around the network and its stack take their part of them, which the options leave: use "cortex_m4" { ram = 100000 }.
-- What runs is what C source does (docs/c-source.md): int8 and float. Nothing was timed on it, so there is no table.
return plugin {
  kind    = "device",
  summary = "Cortex-M4 of 180 MHz: 128 KiB of memory, 512 KiB of flash (STM32F446RE).",
  options = {
    ram   = { type = "integer", default = 131072, min = 1, help = "bytes of memory for the network: 112 and 16 KiB that follow each other" },
    flash = { type = "integer", default = 524288, min = 1, help = "bytes of flash for its weights and tables" },
  },
  describe = function(o)
    return {
      bits    = { 8, 32 },
      ram     = o.ram,
      flash   = o.flash,
      clock   = 180e6,
      sources = {
        "STMicroelectronics, DS10693: STM32F446xC/E datasheet, features",
        "STMicroelectronics, RM0390: STM32F446xx reference manual, 2.3 (memory map)",
      },
    }
  end,
}
